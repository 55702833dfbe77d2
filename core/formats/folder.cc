#include "core/formats/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWhole = ".safetensors";

struct FolderContents {
  std::vector<std::string> indexes;  // also of variants: "model.safetensors.index.fp16.json"
  std::vector<std::string> usual;    // the names that loaders look for
  std::vector<std::string> others;
  std::vector<std::string> torch;  // what loaders look for next, and its indexes
  std::vector<std::string> folders;
};

FolderContents List(const fs::path& folder) {
  FolderContents contents;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    std::error_code ignored;
    if (entries->is_directory(ignored)) {
      contents.folders.push_back(name);
    } else if (name.find(".safetensors.index.") != std::string::npos && name.ends_with(".json")) {
      contents.indexes.push_back(name);
    } else if (name == "model.safetensors" || name == "diffusion_pytorch_model.safetensors") {
      contents.usual.push_back(name);
    } else if (name == "pytorch_model.bin" || name == "diffusion_pytorch_model.bin" ||
               (name.find("pytorch_model.bin.index.") != std::string::npos &&
                name.ends_with(".json"))) {
      contents.torch.push_back(name);
    } else if (name.ends_with(kWhole)) {
      contents.others.push_back(name);
    }
  }
  if (error) {
    throw Error(ErrorCode::kInput, fmt::format("cannot list the folder {}: {}",
                                               Quote(folder.string()), error.message()));
  }
  for (auto* names :
       {&contents.indexes, &contents.usual, &contents.others, &contents.torch, &contents.folders}) {
    std::ranges::sort(*names);
  }
  return contents;
}

std::string Names(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += (i > 0 ? ", " : "") + Quote(names[i]);
  }
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

}  // namespace

fs::path FindCheckpointFile(const fs::path& folder) {
  const FolderContents contents = List(folder);
  std::vector<std::string> candidates = contents.indexes;
  candidates.insert(candidates.end(), contents.usual.begin(), contents.usual.end());
  if (candidates.empty()) candidates = contents.others;
  if (candidates.empty()) candidates = contents.torch;
  if (candidates.size() == 1) return folder / candidates.front();
  if (candidates.empty()) {
    throw Error(
        ErrorCode::kInput,
        fmt::format(
            "the folder {} holds no .safetensors file, no pytorch_model.bin and no index of shards",
            Quote(folder.string())),
        contents.folders.empty()
            ? ""
            : fmt::format("It holds folders, name one of them: {}.", Names(contents.folders)));
  }
  throw Error(ErrorCode::kInput,
              fmt::format("the folder {} holds {} checkpoints: {}", Quote(folder.string()),
                          candidates.size(), Names(candidates)),
              "Name the file that is meant.");
}

}  // namespace weightsmith::internal
