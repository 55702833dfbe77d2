#include "core/tensor/encoding.h"

#include <algorithm>

namespace weightsmith::internal {

namespace {

std::string_view FirstOf(const Encoding& encoding, EncodingCompanion::Use use) {
  const auto found = std::ranges::find(encoding.companions, use, &EncodingCompanion::use);
  return found == encoding.companions.end() ? std::string_view() : found->end;
}

}  // namespace

std::optional<StoredAs> StoredAsByWord(std::string_view word) {
  if (const auto dtype = DTypeByWord(word)) return StoredAs(*dtype);
  for (const Encoding* encoding : Encodings()) {
    if (encoding->id == word) return StoredAs(*encoding);
  }
  return std::nullopt;
}

std::vector<std::string_view> StorableWords() {
  std::vector<std::string_view> words;
  for (const DTypeInfo& dtype : DTypes()) {
    if (dtype.has_codec) words.push_back(dtype.word);
  }
  for (const Encoding* encoding : Encodings()) words.push_back(encoding->id);
  return words;
}

std::string_view WordOf(const StoredAs& stored) {
  return stored.encoding != nullptr ? stored.encoding->id : Info(stored.dtype).word;
}

std::string_view WrittenScales(const Encoding& encoding) {
  return FirstOf(encoding, EncodingCompanion::Use::kScales);
}

std::string_view WrittenMarker(const Encoding& encoding) {
  return FirstOf(encoding, EncodingCompanion::Use::kMarker);
}

bool HasScales(const Encoding& encoding, std::string_view end) {
  return std::ranges::any_of(encoding.companions, [&](const EncodingCompanion& companion) {
    return companion.use == EncodingCompanion::Use::kScales && companion.end == end;
  });
}

std::optional<std::string_view> CompanionScheme(std::string_view name) {
  for (const Encoding* encoding : Encodings()) {
    for (const EncodingCompanion& companion : encoding->companions) {
      if (!companion.scheme.empty() && name.ends_with(companion.end)) return companion.scheme;
    }
  }
  return std::nullopt;
}

bool IsEncodingMark(std::string_view name) {
  return std::ranges::any_of(Encodings(), [&](const Encoding* encoding) {
    return std::ranges::any_of(encoding->companions, [&](const EncodingCompanion& companion) {
      return companion.use != EncodingCompanion::Use::kScales && name.ends_with(companion.end);
    });
  });
}

std::vector<std::string_view> EncodingMarkers() {
  std::vector<std::string_view> markers;
  for (const Encoding* encoding : Encodings()) {
    for (const EncodingCompanion& companion : encoding->companions) {
      if (companion.use == EncodingCompanion::Use::kMarker) markers.push_back(companion.end);
    }
  }
  return markers;
}

std::optional<Grid> GridOfBlocks(const Shape& weight, const Shape& scales, std::uint64_t rows,
                                 std::uint64_t columns) {
  if (weight.size() != 2 || scales.size() != 2 || weight[0] == 0 || weight[1] == 0) {
    return std::nullopt;
  }
  const auto blocks = [](std::uint64_t size, std::uint64_t block) {
    return (size + block - 1) / block;
  };
  if (scales[0] != blocks(weight[0], rows) || scales[1] != blocks(weight[1], columns)) {
    return std::nullopt;
  }
  return Grid{.columns = weight[1], .cell_rows = rows, .cell_columns = columns};
}

}  // namespace weightsmith::internal
