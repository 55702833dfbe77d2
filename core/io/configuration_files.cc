#include "core/io/configuration_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/output_file.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

bool HoldsWeights(const fs::path& file) {
  constexpr std::string_view kEndings[] = {".safetensors", ".bin", ".pt",   ".pth",    ".ckpt",
                                           ".gguf",        ".h5",  ".onnx", ".msgpack"};
  const std::string ending = file.extension().string();
  return std::ranges::find(kEndings, ending) != std::end(kEndings) ||
         file.filename().string().find(".index.") != std::string::npos;
}

/// What a folder holds, in a fixed order.
std::set<fs::path> EntriesOf(const fs::path& folder) {
  std::set<fs::path> paths;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    paths.insert(entries->path());
  }
  if (error) {
    throw Error(ErrorCode::kInput, fmt::format("cannot read the folder {}: {}",
                                               Quote(folder.string()), error.message()));
  }
  return paths;
}

}  // namespace

std::vector<FileCopy> Configuration(const fs::path& from, const fs::path& to) {
  std::vector<FileCopy> copies;
  for (const fs::path& file : EntriesOf(from)) {
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored) || HoldsWeights(file)) continue;
    copies.push_back({file, to / file.filename()});
  }
  return copies;
}

std::vector<FileCopy> PipelineConfiguration(const fs::path& from, const fs::path& to) {
  std::vector<FileCopy> copies;
  for (const fs::path& folder : EntriesOf(from)) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) continue;
    const std::vector<FileCopy> inside = Configuration(folder, to / folder.filename());
    copies.insert(copies.end(), inside.begin(), inside.end());
  }
  return copies;
}

void CopyFile(const FileCopy& copy, const OutputOptions& options) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(copy.to, ignored))) return;
  const auto source = OpenByteSource(copy.from, IoBackend::kRead);
  OutputFile file(copy.to, source->size(), options);
  constexpr std::uint64_t kPiece = 1 << 20;
  std::vector<std::byte> piece;
  try {
    for (std::uint64_t at = 0; at < source->size(); at += kPiece) {
      piece.resize(std::min(kPiece, source->size() - at));
      source->Read(at, piece);
      file.Write(at, piece);
    }
    file.Commit();
  } catch (const Error&) {
    file.Discard();
    throw;
  }
}

}  // namespace weightsmith::internal
