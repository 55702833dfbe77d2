// Any bytes as the index of a sharded checkpoint: it is read or refused with an Error, and what is
// read names only files of its own folder.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/base/error.h"
#include "core/formats/safetensors/sharded.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weightsmith::internal;
  try {
    const ShardIndex index = ParseShardIndex({reinterpret_cast<const char*>(data), size});
    for (const std::string& shard : index.shards) {
      if (shard.empty() || shard == ".." || shard.find('/') != std::string::npos) std::abort();
    }
    for (const ShardIndex::Entry& entry : index.entries) {
      if (entry.shard >= index.shards.size()) std::abort();
    }
    if (!std::ranges::is_sorted(index.entries, {}, &ShardIndex::Entry::tensor)) std::abort();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput || error.message().empty()) std::abort();
  }
  return 0;
}
