#include "core/formats/safetensors/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/safetensors/lexer.h"

namespace weightsmith::internal {
namespace {

/// An entry and where its name stands in the file.
struct Placed {
  SafetensorsEntry entry;
  std::uint64_t position = 0;
};

[[noreturn]] void Fail(std::string message, std::string advice = {}) {
  throw Error(ErrorCode::kInput, std::move(message), std::move(advice));
}

[[noreturn]] void FailAt(const Placed& tensor, std::string_view what) {
  Fail(fmt::format("tensor {} at byte {}: {}", Quote(tensor.entry.name), tensor.position, what),
       "The file is damaged, or was written by a faulty program.");
}

std::string IncompleteAdvice(std::uint64_t there, std::uint64_t whole) {
  return fmt::format(
      "It looks like an incomplete download: {} of {} bytes are there. Get the file again.", there,
      whole);
}

std::string Describe(const TensorInfo& info) {
  constexpr std::size_t kShown = 16;
  const std::string shape = info.shape.size() <= kShown
                                ? ToString(info.shape)
                                : fmt::format("[{} dimensions]", info.shape.size());
  return fmt::format("{} {}", Info(info.dtype).name, shape);
}

std::optional<Metadata> ParseMetadata(JsonLexer& lexer) {
  if (lexer.Null()) return std::nullopt;
  Metadata metadata;
  lexer.Open('{');
  for (bool first = true; lexer.Next('}', first); first = false) {
    const std::uint64_t position = lexer.Position();
    std::string key = lexer.Key();
    if (metadata.contains(key)) {
      lexer.Fail(fmt::format("key {} a second time in {}", Quote(key), Quote(kMetadataKey)),
                 position);
    }
    std::string value = lexer.String();
    metadata.emplace(std::move(key), std::move(value));
  }
  return metadata;
}

DType ParseDType(JsonLexer& lexer) {
  const std::uint64_t position = lexer.Position();
  const std::string name = lexer.String();
  const std::optional<DType> dtype = DTypeByName(name);
  if (!dtype) lexer.Fail(fmt::format("unknown dtype {}", Quote(name)), position);
  return *dtype;
}

Shape ParseShape(JsonLexer& lexer) {
  Shape shape;
  lexer.Open('[');
  for (bool first = true; lexer.Next(']', first); first = false) shape.push_back(lexer.Unsigned());
  return shape;
}

std::pair<std::uint64_t, std::uint64_t> ParseOffsets(JsonLexer& lexer) {
  const std::uint64_t position = lexer.Position();
  std::array<std::uint64_t, 2> offsets{};
  std::size_t count = 0;
  lexer.Open('[');
  for (; lexer.Next(']', count == 0); ++count) {
    const std::uint64_t offset = lexer.Unsigned();
    if (count < offsets.size()) offsets[count] = offset;
  }
  if (count != offsets.size()) {
    lexer.Fail(fmt::format("'data_offsets' with {} numbers instead of 2", count), position);
  }
  return {offsets[0], offsets[1]};
}

/// The fields that a tensor must have, in the order of their bits in a set.
constexpr std::array<std::string_view, 3> kFields = {"dtype", "shape", "data_offsets"};

void ParseTensor(JsonLexer& lexer, SafetensorsEntry& entry) {
  const std::uint64_t start = lexer.Position();
  unsigned seen = 0;
  lexer.Open('{');
  for (bool first = true; lexer.Next('}', first); first = false) {
    const std::uint64_t position = lexer.Position();
    const std::string key = lexer.Key();
    const auto field = static_cast<std::size_t>(std::ranges::find(kFields, key) - kFields.begin());
    if (field == kFields.size()) {
      lexer.Skip();
      continue;
    }
    if (seen & 1u << field) lexer.Fail(fmt::format("'{}' a second time", key), position);
    seen |= 1u << field;
    if (field == 0) entry.info.dtype = ParseDType(lexer);
    if (field == 1) entry.info.shape = ParseShape(lexer);
    if (field == 2) std::tie(entry.begin, entry.end) = ParseOffsets(lexer);
  }
  for (std::size_t field = 0; field < kFields.size(); ++field) {
    if (!(seen & 1u << field))
      lexer.Fail(fmt::format("no '{}' for the tensor", kFields[field]), start);
  }
}

void ExpectDistinctNames(const std::vector<Placed>& tensors) {
  std::vector<const Placed*> by_name;
  by_name.reserve(tensors.size());
  for (const Placed& tensor : tensors) by_name.push_back(&tensor);
  std::ranges::sort(by_name, {}, [](const Placed* tensor) {
    return std::pair<std::string_view, std::uint64_t>(tensor->entry.name, tensor->position);
  });
  const auto twice = std::ranges::adjacent_find(
      by_name, {}, [](const Placed* tensor) -> const std::string& { return tensor->entry.name; });
  if (twice == by_name.end()) return;
  FailAt(**std::next(twice), fmt::format("the name is there twice, first at byte {}; every tensor "
                                         "must have a name of its own",
                                         (*twice)->position));
}

void ExpectSize(const Placed& tensor) {
  const SafetensorsEntry& entry = tensor.entry;
  const std::optional<std::uint64_t> count = ElementCount(entry.info.shape);
  std::uint64_t bits = 0;
  if (!count || __builtin_mul_overflow(*count, Info(entry.info.dtype).bits, &bits)) {
    FailAt(tensor, fmt::format("the size of {} exceeds 64 bits", Describe(entry.info)));
  }
  if (bits % 8 != 0) {
    FailAt(tensor, fmt::format("{} has {} bits, which do not fill whole bytes",
                               Describe(entry.info), bits));
  }
  if (bits / 8 != entry.end - entry.begin) {
    FailAt(tensor,
           fmt::format("{} has {} bytes, but data_offsets [{}, {}] hold {}", Describe(entry.info),
                       bits / 8, entry.begin, entry.end, entry.end - entry.begin));
  }
}

/// Sorts by place and checks that the tensors tile the data, each at its size. Returns their end.
std::uint64_t ExpectTiling(std::vector<Placed>& tensors) {
  std::ranges::sort(tensors, {}, [](const Placed& tensor) {
    return std::tuple<std::uint64_t, std::uint64_t, std::string_view>(
        tensor.entry.begin, tensor.entry.end, tensor.entry.name);
  });
  std::uint64_t end = 0;
  const Placed* previous = nullptr;
  for (const Placed& tensor : tensors) {
    const SafetensorsEntry& entry = tensor.entry;
    if (entry.end < entry.begin) {
      FailAt(tensor,
             fmt::format("data_offsets [{}, {}] end before their start", entry.begin, entry.end));
    }
    if (entry.begin != end) {
      const std::string before =
          previous ? fmt::format("tensor {} before it ends at {}", Quote(previous->entry.name), end)
                   : std::string("the first tensor must begin at 0");
      FailAt(tensor,
             fmt::format("data_offsets [{}, {}] {}: {}", entry.begin, entry.end,
                         entry.begin < end ? "overlap another tensor's" : "leave a hole", before));
    }
    ExpectSize(tensor);
    end = entry.end;
    previous = &tensor;
  }
  return end;
}

void ExpectFileSize(std::uint64_t data_start, std::uint64_t data_end, std::uint64_t file_size) {
  std::uint64_t expected = 0;
  if (__builtin_add_overflow(data_start, data_end, &expected)) {
    Fail(fmt::format("the tensors end at byte {} of the data, beyond 64 bits of file", data_end));
  }
  if (file_size < expected) {
    Fail(fmt::format("the tensors end at byte {}, but the file has {} bytes", expected, file_size),
         IncompleteAdvice(file_size, expected));
  }
  if (file_size > expected) {
    Fail(fmt::format("{} bytes follow the end of the last tensor at byte {}", file_size - expected,
                     expected),
         "The file is damaged, or something was appended to it.");
  }
}

}  // namespace

std::uint64_t ParseHeaderSize(std::string_view first_bytes, std::uint64_t file_size) {
  if (first_bytes.size() < kPrefixSize || file_size < kPrefixSize) {
    Fail(
        fmt::format("the file has {} bytes, and a safetensors file begins with the {} bytes of its "
                    "header's length",
                    file_size, kPrefixSize),
        "It is not a safetensors file, or an incomplete download.");
  }
  std::uint64_t size = 0;
  for (std::size_t i = kPrefixSize; i-- > 0;) {
    size = size << 8 | static_cast<unsigned char>(first_bytes[i]);
  }
  if (size > kMaxHeaderSize) {
    Fail(fmt::format("the header's length at byte 0 is {}, and at most {} is allowed", size,
                     kMaxHeaderSize),
         "It is not a safetensors file, or its first bytes are damaged.");
  }
  if (size > file_size - kPrefixSize) {
    Fail(fmt::format("the header's length at byte 0 is {}, but only {} bytes follow", size,
                     file_size - kPrefixSize),
         IncompleteAdvice(file_size, kPrefixSize + size) + " (Its tensors come on top.)");
  }
  return size;
}

SafetensorsHeader ParseHeader(std::string_view json, std::uint64_t file_size) {
  SafetensorsHeader header;
  header.data_start = kPrefixSize + json.size();
  JsonLexer lexer("header", json, kPrefixSize);
  std::vector<Placed> tensors;
  bool has_metadata = false;
  lexer.Open('{');
  for (bool first = true; lexer.Next('}', first); first = false) {
    const std::uint64_t position = lexer.Position();
    std::string name = lexer.Key();
    if (name == kMetadataKey) {
      if (has_metadata) lexer.Fail(fmt::format("{} a second time", Quote(name)), position);
      has_metadata = true;
      header.metadata = ParseMetadata(lexer);
      continue;
    }
    Placed& tensor = tensors.emplace_back();
    tensor.position = position;
    tensor.entry.name = std::move(name);
    try {
      ParseTensor(lexer, tensor.entry);
    } catch (Error& error) {
      error.AddContext(fmt::format("tensor {}", Quote(tensor.entry.name)));
      throw;
    }
  }
  lexer.End();
  ExpectDistinctNames(tensors);
  ExpectFileSize(header.data_start, ExpectTiling(tensors), file_size);
  header.tensors.reserve(tensors.size());
  for (Placed& tensor : tensors) header.tensors.push_back(std::move(tensor.entry));
  return header;
}

}  // namespace weightsmith::internal
