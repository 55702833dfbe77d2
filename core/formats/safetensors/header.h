// The safetensors format:
//
//   bytes 0..8     n, unsigned 64-bit little-endian: length of the header
//   bytes 8..8+n   UTF-8 JSON: {"__metadata__": {"key": "value"}, "name": {"dtype": "F16",
//                  "shape": [2, 3], "data_offsets": [begin, end]}, …}, spaces after it
//   bytes 8+n..    the data: offsets count from here, tensors fill it without holes or overlaps
//
// Pure functions between text and table. The verdicts are those of the reference implementation,
// and duplicates of any key are refused as well.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/tensor.h"

namespace weightsmith::internal {

/// What stands in front of the header: its size.
inline constexpr std::uint64_t kPrefixSize = 8;
/// The key of the header that is no tensor.
inline constexpr std::string_view kMetadataKey = "__metadata__";
/// Largest legal n.
inline constexpr std::uint64_t kMaxHeaderSize = 100'000'000;

using Metadata = std::map<std::string, std::string>;

struct SafetensorsEntry {
  std::string name;
  TensorInfo info;
  std::uint64_t begin = 0;  ///< relative to the data
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> tensors;  ///< in the order of the data
  std::optional<Metadata> metadata;       ///< nothing where the header has none, or null
  std::uint64_t data_start = 0;           ///< 8 + n
};

/// Checks the first 8 bytes of a file of `file_size` bytes and returns n.
/// Throws kInput (as ParseHeader does): the message names what is wrong and at which byte of the
/// file; the caller adds the file's name.
std::uint64_t ParseHeaderSize(std::string_view first_bytes, std::uint64_t file_size);

/// Reads and validates the whole header `json` (n bytes) of a file of `file_size` bytes.
SafetensorsHeader ParseHeader(std::string_view json, std::uint64_t file_size);

}  // namespace weightsmith::internal
