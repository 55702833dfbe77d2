// The index of a checkpoint in several files, as Hugging Face writes it: JSON whose "weight_map"
// says which file, in the same folder, holds which tensor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

/// Largest index file that is read.
inline constexpr std::uint64_t kMaxIndexSize = std::uint64_t{256} << 20;

struct ShardIndex {
  struct Entry {
    std::string tensor;
    std::uint32_t shard = 0;  ///< index in shards
  };
  std::vector<std::string> shards;  ///< plain file names, sorted
  std::vector<Entry> entries;       ///< sorted by tensor, each once
};

/// Throws kInput: not JSON, no weight_map, a tensor twice, a shard that is not a plain file name
/// (which could lead out of the folder).
ShardIndex ParseShardIndex(std::string_view json);

/// Whether a file that begins with `head` can be an index: a JSON object.
bool LooksLikeShardIndex(std::string_view head);

}  // namespace weightsmith::internal
