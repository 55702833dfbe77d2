#include <fmt/format.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/model_path.h"
#include "cli/progress.h"
#include "cli/render/layout.h"
#include "core/base/error.h"
#include "core/base/visible.h"
#include "core/formats/checkpoint.h"
#include "core/io/file_hashes.h"
#include "recipes/jobs/json-inl.h"

namespace weightsmith::internal {
namespace {

struct NamedHashes {
  std::string path;
  std::uint64_t size = 0;
  FileHashes hashes;
};

NamedHashes HashOne(const ByteSource& source, std::optional<HashCache>& cache, Terminal& terminal) {
  ProgressMeter meter(terminal, fmt::format("hashing {}", source.path().filename().string()));
  const std::atomic<bool>& interrupted = CatchInterrupts();
  const HashProgress progress = [&](std::uint64_t done, std::uint64_t total) {
    meter.Update(done, total);
    return !interrupted;
  };
  const FileHashes hashes = cache ? cache->Hash(source, progress) : HashFile(source, progress);
  return {source.path().string(), source.size(), hashes};
}

// A folder or an index stands for its shards, which then have a hash of their set.
bool IsShardSet(const std::filesystem::path& path) {
  return IsFolder(path) || path.string().ends_with(".index.json");
}

std::string Line(std::string_view label, std::string_view value) {
  return fmt::format("  {}{}\n", PadRight(label, 8), value);
}

std::string InWords(const NamedHashes& file) {
  std::string text = fmt::format("{}\n", Visible(file.path));
  text += Line("sha256", file.hashes.sha256);
  text += Line("AutoV1", file.hashes.autov1);
  text += Line("AutoV2", file.hashes.autov2);
  if (!file.hashes.autov3.empty()) text += Line("AutoV3", file.hashes.autov3);
  return text;
}

Json ToJson(const NamedHashes& file) {
  Json json = {{"path", file.path}, {"bytes", file.size}, {"sha256", file.hashes.sha256}};
  json["autov1"] = file.hashes.autov1;
  json["autov2"] = file.hashes.autov2;
  if (!file.hashes.autov3.empty()) json["autov3"] = file.hashes.autov3;
  return json;
}

class Listing {
 public:
  Listing(bool json, Terminal& terminal) : json_(json), terminal_(terminal) {}

  void Add(const std::string& words, Json json) {
    if (json_) {
      all_.push_back(std::move(json));
    } else {
      terminal_.Print(words);
    }
  }

  void Finish() {
    if (json_) terminal_.PrintData(ToText(all_));
  }

 private:
  bool json_;
  Terminal& terminal_;
  Json all_ = Json::array();
};

void HashShards(const std::filesystem::path& path, std::optional<HashCache>& cache,
                Listing& listing, Terminal& terminal) {
  const auto checkpoint = Checkpoint::Open(path);
  std::vector<std::pair<std::string, std::string>> lines;
  std::string words;
  Json shards = Json::array();
  for (const auto& file : checkpoint->files()) {
    const NamedHashes hashes = HashOne(*file, cache, terminal);
    lines.emplace_back(file->path().filename().string(), hashes.hashes.sha256);
    words += InWords(hashes);
    shards.push_back(ToJson(hashes));
  }
  const std::string set = HashShardSet(lines);
  words += fmt::format("{}\n", Visible(path.string())) + Line("set", set);
  listing.Add(words, {{"path", path.string()},
                      {"bytes", checkpoint->size()},
                      {"set_sha256", set},
                      {"shards", std::move(shards)}});
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  std::optional<HashCache> cache;
  if (!arguments.Has("no-cache")) cache.emplace();
  Listing listing(arguments.Has("json"), terminal);
  for (const std::string& name : arguments.positionals()) {
    WithContext("hash", [&] {
      if (IsShardSet(name)) {
        HashShards(name, cache, listing, terminal);
      } else {
        const NamedHashes file = HashOne(*OpenByteSource(name, IoBackend::kRead), cache, terminal);
        listing.Add(InWords(file), ToJson(file));
      }
    });
  }
  listing.Finish();
  return 0;
}

}  // namespace

const Command& hash() {
  static const Command command = {
      .name = "hash",
      .summary = "Print SHA-256, AutoV1, AutoV2 and AutoV3 of files",
      .group = CommandGroup::kInspect,
      .doc =
          "Prints the SHA-256 of each file and the short forms that sites and user interfaces "
          "show: AutoV1 (8 digits, of 64 KiB at 1 MiB), AutoV2 (the first 10 digits of the "
          "SHA-256) and AutoV3 (12 digits, of what follows a safetensors header, so that edits "
          "of the metadata do not change it). A folder or an index of shards is hashed file by "
          "file, and as a set: the SHA-256 of the lines `SHA256  NAME` of its files, sorted by "
          "name.\n\nHashes are cached by the file's identity, size and times, in the user's "
          "cache folder.",
      .positionals = {{.name = "FILE",
                       .doc = "a model file, a folder of shards or its index",
                       .repeatable = true}},
      .flags = {{.name = "json", .doc = "Print JSON"},
                {.name = "no-cache", .doc = "Read the file even when its hash is cached"}},
      .examples = {{"weightsmith hash model.safetensors",
                    "Under which hashes is this file known?"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith::internal
