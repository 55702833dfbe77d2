// Where the lines of a text begin: turns byte offsets into places.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "recipes/diagnostic.h"

namespace weightsmith::internal {

class LineIndex {
 public:
  explicit LineIndex(std::shared_ptr<const SourceText> source);

  /// The place of a byte; columns count characters.
  SourcePlace At(std::size_t offset) const;
  /// The same for a line and a byte in it, both from 0.
  SourcePlace At(std::size_t line, std::size_t byte) const;

 private:
  /// Characters in front of a byte.
  std::size_t CharactersBefore(std::size_t offset) const;

  std::shared_ptr<const SourceText> source_;
  std::vector<std::size_t> starts_;
  std::vector<std::uint32_t> characters_;  ///< in front of every kStride-th byte
};

}  // namespace weightsmith::internal
