#include "core/io/configuration_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

namespace fs = std::filesystem;

bool HoldsWeights(const fs::path& file) {
  constexpr std::string_view kEndings[] = {".safetensors", ".bin", ".pt",   ".pth",    ".ckpt",
                                           ".gguf",        ".h5",  ".onnx", ".msgpack"};
  const std::string ending = file.extension().string();
  return std::ranges::find(kEndings, ending) != std::end(kEndings) ||
         file.filename().string().find(".index.") != std::string::npos;
}

[[noreturn]] void Fail(const fs::path& from, const fs::path& to, const std::error_code& error) {
  throw Error(ErrorCode::kFailed, fmt::format("cannot copy {} to {}: {}", Quote(from.string()),
                                              Quote(to.string()), error.message()));
}

}  // namespace

void CopyConfiguration(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::directory_iterator entries(from, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& file = entries->path();
    if (!entries->is_regular_file() || HoldsWeights(file)) continue;
    fs::create_directories(to, error);
    if (error) Fail(file, to, error);
    fs::copy_file(file, to / file.filename(), fs::copy_options::skip_existing, error);
    if (error) Fail(file, to, error);
  }
  if (error) Fail(from, to, error);
}

void CopyPipelineConfiguration(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::directory_iterator entries(from, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& folder = entries->path();
    if (entries->is_directory()) CopyConfiguration(folder, to / folder.filename());
  }
  if (error) Fail(from, to, error);
}

}  // namespace weightsmith
