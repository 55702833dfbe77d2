#include "core/io/output_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/base/error.h"
#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

struct KnownSuffix {
  std::string_view suffix;
  std::string_view format;
};

/// Formats of models that nothing is written in.
constexpr KnownSuffix kFormats[] = {
    {".ckpt", "a PyTorch file"}, {".pt", "a PyTorch file"},
    {".pth", "a PyTorch file"},  {".bin", "a PyTorch file"},
    {".pkl", "a pickle"},        {".pickle", "a pickle"},
    {".gguf", "a GGUF file"},    {".ggml", "a GGML file"},
    {".onnx", "an ONNX file"},   {".npz", "a NumPy file"},
    {".npy", "a NumPy file"},    {".h5", "an HDF5 file"},
    {".zip", "an archive"},      {".tar", "an archive"},
    {".7z", "an archive"},       {".json", "a JSON file"},
    {".yaml", "a YAML file"},    {".yml", "a YAML file"},
    {".txt", "a text file"},     {".msgpack", "a MessagePack file"}};

const KnownSuffix* FormatOf(const fs::path& path) {
  const std::string suffix = Lowercase(path.extension().string());
  const auto* const found = std::ranges::find(kFormats, suffix, &KnownSuffix::suffix);
  return found == std::end(kFormats) ? nullptr : found;
}

std::string Named(const fs::path& path) {
  return Quote(path.string());
}

std::optional<NameFault> FaultOfFolder(const fs::path& path) {
  const KnownSuffix* const format = FormatOf(path);
  if (format == nullptr && !IsSafetensorsName(path)) return std::nullopt;
  return NameFault{
      fmt::format("the output is a folder, and {} is the name of {}", Named(path),
                  format == nullptr ? std::string_view("a safetensors file") : format->format),
      fmt::format("Write {}.", Named(fs::path(path).replace_extension()))};
}

}  // namespace

bool IsSafetensorsName(const fs::path& path) {
  const std::string suffix = Lowercase(path.extension().string());
  return suffix == ".safetensors" || suffix == ".sft";
}

std::optional<NameFault> FaultOfOutputName(const fs::path& path, OutputKind kind) {
  if (path == "-") {
    return NameFault{"an output cannot go to standard output: it is not written from front to back",
                     "Write the name of a file, such as 'out.safetensors'."};
  }
  if (kind == OutputKind::kFolder) return FaultOfFolder(path);
  if (IsSafetensorsName(path)) return std::nullopt;
  if (!path.has_filename()) {
    return NameFault{
        fmt::format("the output is a file, and {} is the name of a folder", Named(path)),
        fmt::format("Write {}.", Named(path / "out.safetensors"))};
  }
  if (const KnownSuffix* const format = FormatOf(path)) {
    return NameFault{
        fmt::format("the output {} is named as {}, and safetensors is written", Named(path),
                    format->format),
        fmt::format("Write {}.", Named(fs::path(path).replace_extension(".safetensors")))};
  }
  return NameFault{fmt::format("the output {} does not end in .safetensors", Named(path)),
                   fmt::format("Write {}.", Named(fs::path(path) += ".safetensors"))};
}

void ExpectOutputName(const fs::path& path, OutputKind kind) {
  if (auto fault = FaultOfOutputName(path, kind)) {
    throw Error(ErrorCode::kUsage, std::move(fault->problem), std::move(fault->advice));
  }
}

}  // namespace weightsmith::internal
