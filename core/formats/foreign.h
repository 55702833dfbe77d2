// Formats that this version does not read, told by their first bytes, so that a message can say
// what a file is instead of what it is not.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weightsmith::internal {

struct ForeignFormat {
  std::string name;    ///< "a zip archive (a PyTorch .ckpt/.pt checkpoint)"
  std::string advice;  ///< may be empty
};

/// How many bytes of a file are enough.
inline constexpr std::size_t kSniffSize = 512;

/// What a file that begins with `head` is, when it is known not to be a checkpoint that is read.
std::optional<ForeignFormat> SniffForeignFormat(std::string_view head);

}  // namespace weightsmith::internal
