#include "recipes/source/line_index.h"

#include <algorithm>
#include <utility>

namespace weightsmith::internal {
namespace {

/// Bytes between two counts: to count a whole line for each of its places would be quadratic.
constexpr std::size_t kStride = 64;

bool BeginsCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

}  // namespace

LineIndex::LineIndex(std::shared_ptr<const SourceText> source) : source_(std::move(source)) {
  starts_.push_back(0);
  std::uint32_t characters = 0;
  for (std::size_t i = 0; i < source_->text.size(); ++i) {
    if (i % kStride == 0) characters_.push_back(characters);
    if (BeginsCharacter(source_->text[i])) ++characters;
    if (source_->text[i] == '\n') starts_.push_back(i + 1);
  }
  characters_.push_back(characters);
}

std::size_t LineIndex::CharactersBefore(std::size_t offset) const {
  std::size_t characters = characters_[offset / kStride];
  for (std::size_t i = offset - offset % kStride; i < offset; ++i) {
    if (BeginsCharacter(source_->text[i])) ++characters;
  }
  return characters;
}

SourcePlace LineIndex::At(std::size_t offset) const {
  const auto next = std::ranges::upper_bound(starts_, offset);
  const auto line = static_cast<std::size_t>(next - starts_.begin()) - 1;
  return At(line, offset - starts_[line]);
}

SourcePlace LineIndex::At(std::size_t line, std::size_t byte) const {
  line = std::min(line, starts_.size() - 1);
  const std::size_t begin = starts_[line];
  const std::size_t end = std::min(begin + byte, source_->text.size());
  const std::size_t column = end < begin ? 0 : CharactersBefore(end) - CharactersBefore(begin);
  return {source_, static_cast<std::uint32_t>(line + 1), static_cast<std::uint32_t>(column + 1)};
}

}  // namespace weightsmith::internal
