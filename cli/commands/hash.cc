#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/model_path.h"
#include "cli/progress.h"
#include "cli/render/layout.h"
#include "cli/schemas.h"
#include "core/base/error.h"
#include "core/base/visible.h"
#include "core/io/file_hashes.h"
#include "core/io/hash_cache.h"
#include "core/model/open_as_stored.h"
#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {
namespace {

struct NamedHashes {
  std::string path;
  std::uint64_t size = 0;
  FileHashes hashes;
};

struct NamedShardSet {
  std::string path;
  std::uint64_t size = 0;
  std::string sha256;  ///< of the set
  std::vector<NamedHashes> shards;
};

std::optional<std::string> AutoV3(const NamedHashes& file) {
  return file.hashes.autov3.empty() ? std::nullopt : std::optional(file.hashes.autov3);
}

}  // namespace

template <>
const Record<NamedHashes>& RecordOf() {
  const auto hashes = [](auto member) { return Through(&NamedHashes::hashes, member); };
  static const Record<NamedHashes> record = {
      "FileHashes",
      "The hashes of a file.",
      {{"path", &NamedHashes::path, "The file."},
       {"bytes", &NamedHashes::size, "Its size."},
       {"sha256", hashes(&FileHashes::sha256), "Of the whole file."},
       {"autov1", hashes(&FileHashes::autov1), "8 digits, of 64 KiB at 1 MiB."},
       {"autov2", hashes(&FileHashes::autov2), "The first 10 digits of the SHA-256."},
       {"autov3", AutoV3, "12 digits, of what follows a safetensors header.", kOptional}}};
  return record;
}

template <>
const Record<NamedShardSet>& RecordOf() {
  static const Record<NamedShardSet> record = {
      "ShardSetHashes",
      "The hashes of a set of shards.",
      {{"path", &NamedShardSet::path, "The folder, or the index."},
       {"bytes", &NamedShardSet::size, "Of all shards."},
       {"set_sha256", &NamedShardSet::sha256, "Of a line for each shard."},
       {"shards", &NamedShardSet::shards, "The files."}}};
  return record;
}

namespace {

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

class Listing {
 public:
  Listing(bool json, Terminal& terminal) : json_(json), terminal_(terminal) {}

  template <class Hashes>
  void Add(const std::string& words, const Hashes& hashes) {
    if (json_) {
      all_.push_back(JsonValue<Hashes>::Write(hashes));
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
  const auto checkpoint = OpenAsStored(path);
  std::vector<std::pair<std::string, std::string>> lines;
  std::string words;
  NamedShardSet set{path.string(), checkpoint->size(), {}, {}};
  for (const auto& file : checkpoint->files()) {
    NamedHashes hashes = HashOne(*file, cache, terminal);
    lines.emplace_back(file->path().filename().string(), hashes.hashes.sha256);
    words += InWords(hashes);
    set.shards.push_back(std::move(hashes));
  }
  set.sha256 = HashShardSet(lines);
  words += fmt::format("{}\n", Visible(set.path)) + Line("set", set.sha256);
  listing.Add(words, set);
}

int RunHash(const ParsedArguments& arguments, Terminal& terminal) {
  std::optional<HashCache> cache;
  if (!arguments.Has("no-cache")) cache.emplace();
  Listing listing(arguments.Has("json"), terminal);
  for (const std::string& name : arguments.positionals()) {
    WithContext("hash", [&] {
      if (IsShardSet(name)) {
        HashShards(name, cache, listing, terminal);
      } else {
        const NamedHashes file = HashOne(*OpenByteSource(name, IoBackend::kRead), cache, terminal);
        listing.Add(InWords(file), file);
      }
    });
  }
  listing.Finish();
  return 0;
}

}  // namespace

std::string HashesSchema() {
  const Json either = {JsonValue<NamedHashes>::Schema(), JsonValue<NamedShardSet>::Schema()};
  return ToLine({{"type", "array"}, {"items", {{"anyOf", either}}}});
}

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
      .run = RunHash,
  };
  return command;
}

}  // namespace weightsmith::internal
