// Where everything of a safetensors file stands that is to be written, and its header as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/safetensors/header.h"

namespace weightsmith::internal {

struct TensorSpec {
  std::string name;
  TensorInfo info;
};

/// Where everything of a file to be written goes.
struct HeaderLayout {
  std::string header;                     ///< the first data_start bytes of the file
  std::vector<SafetensorsEntry> tensors;  ///< in file order
  std::uint64_t data_start = 0;
  std::uint64_t file_size = 0;
};

/// Our own files start their data at a page: large writes are whole pages, which file systems can
/// share.
inline constexpr std::uint64_t kDataAlignment = 4096;

/// Lays out a file as the reference does: dtypes by falling alignment, then names byte-wise;
/// metadata first, by key; no spaces; the header padded with spaces so that the data starts at a
/// multiple of `alignment`. Throws kUsage for duplicate names, an n over the limit, or a tensor
/// that does not fill whole bytes.
HeaderLayout LayOut(std::vector<TensorSpec> tensors, const std::optional<Metadata>& metadata,
                    std::uint64_t alignment);

/// The header of `layout` with other metadata of no greater length, same data_start; nothing when
/// it does not fit.
std::optional<std::string> ReplaceMetadata(const HeaderLayout& layout,
                                           const std::optional<Metadata>& metadata);

}  // namespace weightsmith::internal
