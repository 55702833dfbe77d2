#include "core/formats/safetensors/sharded.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/safetensors/lexer.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kWeightMap = "weight_map";

bool IsPlainFileName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

/// Number of each shard by its name; numbers follow the order of names only at the end.
using Numbers = std::map<std::string, std::uint32_t, std::less<>>;

std::vector<ShardIndex::Entry> ParseWeightMap(JsonLexer& lexer, Numbers& numbers) {
  std::vector<ShardIndex::Entry> entries;
  lexer.Open('{');
  for (bool first = true; lexer.Next('}', first); first = false) {
    std::string tensor = lexer.Key();
    const std::uint64_t position = lexer.Position();
    const std::string shard = lexer.String();
    if (!IsPlainFileName(shard)) {
      throw Error(ErrorCode::kInput,
                  fmt::format("path traversal refused: tensor {} is said to be in {} at byte {}, "
                              "which is not a plain file name",
                              Quote(tensor), Quote(shard), position),
                  "Shards must lie in the folder of their index.");
    }
    const auto number =
        numbers.try_emplace(shard, static_cast<std::uint32_t>(numbers.size())).first->second;
    entries.push_back({std::move(tensor), number});
  }
  return entries;
}

}  // namespace

ShardIndex ParseShardIndex(std::string_view json) {
  JsonLexer lexer("index", json, 0);
  ShardIndex index;
  Numbers numbers;
  bool found = false;
  lexer.Open('{');
  for (bool first = true; lexer.Next('}', first); first = false) {
    const std::uint64_t position = lexer.Position();
    if (lexer.Key() != kWeightMap) {
      lexer.Skip();
      continue;
    }
    if (std::exchange(found, true)) lexer.Fail("'weight_map' a second time", position);
    index.entries = ParseWeightMap(lexer, numbers);
  }
  lexer.End();
  if (!found) {
    throw Error(ErrorCode::kInput, "this is a JSON file without a 'weight_map'",
                "Of JSON files, only the index of a sharded checkpoint can be opened as one.");
  }
  std::vector<std::uint32_t> sorted;  // from a shard's number to its place by name
  sorted.resize(numbers.size());
  for (const auto& [name, number] : numbers) {
    sorted[number] = static_cast<std::uint32_t>(index.shards.size());
    index.shards.push_back(name);
  }
  for (ShardIndex::Entry& entry : index.entries) entry.shard = sorted[entry.shard];
  std::ranges::sort(index.entries, {}, &ShardIndex::Entry::tensor);
  const auto twice = std::ranges::adjacent_find(index.entries, {}, &ShardIndex::Entry::tensor);
  if (twice != index.entries.end()) {
    throw Error(ErrorCode::kInput,
                fmt::format("tensor {} is in 'weight_map' twice", Quote(twice->tensor)));
  }
  return index;
}

bool LooksLikeShardIndex(std::string_view head) {
  // A safetensors file whose length begins with the byte of '{' has zeros after it.
  const std::size_t start = head.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos && head[start] == '{' &&
         head.substr(0, 8).find('\0') == std::string_view::npos;
}

}  // namespace weightsmith::internal
