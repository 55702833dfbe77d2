#include "recipes/source/line_index.h"

#include <algorithm>
#include <utility>

namespace weightsmith {

LineIndex::LineIndex(std::shared_ptr<const SourceText> source) : source_(std::move(source)) {
  starts_.push_back(0);
  for (std::size_t i = 0; i < source_->text.size(); ++i) {
    if (source_->text[i] == '\n') starts_.push_back(i + 1);
  }
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
  std::uint32_t column = 1;
  for (std::size_t i = begin; i < end; ++i) {
    if ((static_cast<unsigned char>(source_->text[i]) & 0xC0) != 0x80) ++column;
  }
  return {source_, static_cast<std::uint32_t>(line + 1), column};
}

}  // namespace weightsmith
