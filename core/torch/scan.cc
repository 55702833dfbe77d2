#include "core/torch/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "core/checkpoint.h"
#include "core/error.h"
#include "core/safetensors/reader.h"
#include "core/text.h"
#include "core/torch/pickle.h"
#include "core/torch/reader.h"
#include "core/torch/zip_archive.h"

namespace weightsmith {
namespace {

constexpr std::uint64_t kLargestPickle = std::uint64_t{64} << 20;
constexpr std::size_t kMostPickles = 1000;
/// In front of the storages of the older format: magic number, protocol, machine, object, keys.
constexpr std::size_t kLegacyPickles = 5;

class Scanner {
 public:
  explicit Scanner(const std::filesystem::path& path)
      : path_(path), file_(OpenByteSource(path, IoBackend::kRead)) {}

  ScanResult Run() {
    const std::string head = ReadHead(*file_);
    if (const auto torch = SniffTorch(head)) {
      result_.format = *torch == TorchFormat::kZip ? "torch-zip" : "torch-legacy";
      Try([&] { *torch == TorchFormat::kZip ? ScanZip() : ScanPickles(kLegacyPickles); });
    } else if (head.size() > 1 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5) {
      result_.format = "pickle";
      Try([&] { ScanPickles(kMostPickles); });
    } else if (head.starts_with("GGUF")) {
      result_.format = "gguf";
      return std::move(result_);
    }
    Try([&] {
      const auto checkpoint = Checkpoint::Open(path_);
      result_.format = ToString(checkpoint->format());
    });
    for (const std::string& name : globals_) {
      result_.globals.push_back({name, ClassifyGlobal(name)});
    }
    return std::move(result_);
  }

 private:
  template <class Step>
  void Try(const Step& step) {
    try {
      step();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInput) throw;
      const std::string& problem = error.message();
      if (std::ranges::find(result_.problems, problem) == result_.problems.end()) {
        result_.problems.push_back(problem);
      }
    }
  }

  /// As much of it as a pickle may have.
  std::string TextAt(std::uint64_t offset, std::uint64_t size) const {
    return ReadText(*file_, offset, std::min(size, kLargestPickle));
  }

  void Learn(const Pickle& pickle) {
    globals_.insert(pickle.globals().begin(), pickle.globals().end());
  }

  /// Every pickle of the archive, not only the one that torch would load.
  void ScanZip() {
    for (const ZipEntry& entry : ReadZip(*file_).entries) {
      if (!entry.name.ends_with(".pkl")) continue;
      Try([&] {
        const std::string text = TextAt(entry.offset, entry.size);
        const Pickle pickle = ReadPickle(text);
        Learn(pickle);
        if (pickle.size() == entry.size) return;
        result_.problems.push_back(fmt::format("{} bytes follow the pickle {}",
                                               entry.size - pickle.size(), Quote(entry.name)));
      });
    }
  }

  /// One pickle after the other, as far as there are some.
  void ScanPickles(std::size_t most) {
    const std::string text = TextAt(0, file_->size());
    std::string_view rest = text;
    for (std::size_t count = 0; count < most && rest.starts_with('\x80'); ++count) {
      const Pickle pickle = ReadPickle(rest);
      Learn(pickle);
      rest.remove_prefix(pickle.size());
    }
  }

  std::filesystem::path path_;
  std::shared_ptr<const ByteSource> file_;
  std::set<std::string> globals_;
  ScanResult result_;
};

}  // namespace

bool ScanResult::safe() const {
  return problems.empty() && std::ranges::all_of(globals, [](const Global& global) {
           return global.safety == GlobalSafety::kSafe;
         });
}

ScanResult ScanFile(const std::filesystem::path& path) {
  return Scanner(path).Run();
}

}  // namespace weightsmith
