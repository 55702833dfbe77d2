#include "core/formats/torch/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/checkpoint.h"
#include "core/formats/safetensors/reader.h"
#include "core/formats/safetensors/sharded.h"
#include "core/formats/torch/other_readings.h"
#include "core/formats/torch/pickle.h"
#include "core/formats/torch/reader.h"
#include "core/formats/torch/zip_archive.h"

namespace weightsmith::internal {
namespace {

/// In front of the storages of the older format: magic number, protocol, machine, object, keys.
constexpr std::size_t kLegacyPickles = 5;

class Scanner {
 public:
  explicit Scanner(const std::filesystem::path& path)
      : path_(path), file_(OpenByteSource(path, IoBackend::kRead)) {}

  ScanResult Run() {
    const std::string head = ReadHead(*file_);
    if (const auto torch = SniffTorch(head)) {
      ScanTorch(*torch);
    } else if (head.starts_with("GGUF")) {
      result_.format = "gguf";
      ScanFirstByte("GGUF");
    } else if (LooksLikeShardIndex(head)) {
      result_.format = "sharded";
      Try(result_.problems, [&] { Checkpoint::Open(path_); });
    } else {
      ScanOther(head);
    }
    for (const std::string& name : globals_) {
      result_.globals.push_back({name, ClassifyGlobal(name)});
    }
    return std::move(result_);
  }

 private:
  template <class Step>
  bool Try(std::vector<std::string>& problems, const Step& step) {
    try {
      step();
      return true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInput && error.code() != ErrorCode::kMismatch) throw;
      const std::string& problem = error.message();
      if (std::ranges::find(problems, problem) == problems.end()) problems.push_back(problem);
      return false;
    }
  }

  void Learn(const std::vector<std::string>& globals) {
    globals_.insert(globals.begin(), globals.end());
  }

  /// What is not exactly as torch writes it is ambiguous: some program may still load it.
  void ScanTorch(TorchFormat format) {
    result_.format = format == TorchFormat::kZip ? "torch-zip" : "torch-legacy";
    const bool read = Try(result_.ambiguities, [&] {
      const Pickle pickle = ExpectTorch(*file_, format);
      Learn(pickle.globals());
      result_.unusual = pickle.oddities();
    });
    if (read) return;
    if (format == TorchFormat::kZip) {
      std::vector<std::string> told;
      Try(told, [&] { TraceZip(); });
    } else {
      TracePickles();
    }
  }

  /// Every pickle of the archive, not only the one that torch would load.
  void TraceZip() {
    for (const ZipEntry& entry : ReadZip(*file_).entries) {
      if (!entry.name.ends_with("pkl")) continue;
      const std::uint64_t size = std::min(entry.size, kLargestPickle);
      Learn(TracePickle(ReadText(*file_, entry.offset, size)).globals);
    }
  }

  /// One pickle after the other, as torch.load reads them.
  void TracePickles() {
    const std::string text = ReadText(*file_, 0, std::min(file_->size(), kLargestPickle));
    std::string_view rest = text;
    for (std::size_t count = 0; count < kLegacyPickles && !rest.empty(); ++count) {
      const PickleTrace trace = TracePickle(rest);
      Learn(trace.globals);
      if (!trace.problem.empty()) return;
      rest.remove_prefix(trace.size);
    }
  }

  void ScanFirstByte(std::string_view what) {
    if (EndsAsZip(*file_)) {
      result_.ambiguities.push_back(
          fmt::format("it is a {} file, and a zip archive by its end", what));
    }
    const std::vector<std::string> code = CodeFromFirstByte(*file_);
    if (code.empty()) return;
    Learn(code);
    result_.ambiguities.push_back(fmt::format(
        "it is a {} file, and a pickle for torch.load, which names {}", what, Quote(code.front())));
  }

  void ScanOther(std::string_view head) {
    if (Try(result_.problems, [&] { ReadHeader(*file_); })) {
      result_.format = "safetensors";
      Try(result_.ambiguities, [&] { ExpectOnlySafetensors(*file_); });
      Learn(CodeFromFirstByte(*file_));
    } else if (BeginsAsTar(head)) {
      result_.format = "tar";
      result_.problems = {
          "a tar archive, as torch 0.1 wrote: torch.load runs the pickles in it, and "
          "they are not looked into"};
    } else if (head.starts_with('\x80') || !CodeFromFirstByte(*file_).empty()) {
      result_.format = "pickle";
      TracePickles();
    }
  }

  std::filesystem::path path_;
  std::shared_ptr<const ByteSource> file_;
  std::set<std::string> globals_;
  ScanResult result_;
};

}  // namespace

bool ScanResult::dangerous() const {
  return !unusual.empty() || std::ranges::any_of(globals, [](const Global& global) {
    return global.safety == GlobalSafety::kDangerous;
  });
}

bool ScanResult::safe() const {
  return !missing && unusual.empty() && ambiguities.empty() && problems.empty() &&
         std::ranges::all_of(
             globals, [](const Global& global) { return global.safety == GlobalSafety::kSafe; });
}

ScanResult ScanFile(const std::filesystem::path& path) {
  return Scanner(path).Run();
}

}  // namespace weightsmith::internal
