#include "core/formats/safetensors/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

namespace weightsmith::internal {
namespace {

void ExpectText(std::string_view text) {
  if (FindInvalidUtf8(text) == std::string_view::npos) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("cannot write {} into a header: not valid UTF-8", Quote(text)));
}

/// As the reference escapes: what JSON demands and no more.
void AppendString(std::string_view text, std::string& out) {
  ExpectText(text);
  out += '"';
  for (const char c : text) {
    constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    if (const std::size_t i = kSpecial.find(c); i != std::string_view::npos) {
      out += '\\';
      out += kLetters[i];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendMetadata(const Metadata& metadata, std::string& out) {
  AppendString(kMetadataKey, out);
  out += ":{";
  bool first = true;
  for (const auto& [key, value] : metadata) {
    if (!std::exchange(first, false)) out += ',';
    AppendString(key, out);
    out += ':';
    AppendString(value, out);
  }
  out += '}';
}

void AppendTensor(const SafetensorsEntry& entry, std::string& out) {
  AppendString(entry.name, out);
  out += ":{\"dtype\":\"";
  out += Info(entry.info.dtype).name;
  out += "\",\"shape\":[";
  for (std::size_t i = 0; i < entry.info.shape.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(entry.info.shape[i]);
  }
  out += "],\"data_offsets\":[";
  out += std::to_string(entry.begin);
  out += ',';
  out += std::to_string(entry.end);
  out += "]}";
}

std::string HeaderJson(const std::vector<SafetensorsEntry>& tensors,
                       const std::optional<Metadata>& metadata) {
  std::string json = "{";
  if (metadata) AppendMetadata(*metadata, json);
  for (const SafetensorsEntry& entry : tensors) {
    if (json.size() > 1) json += ',';
    AppendTensor(entry, json);
  }
  return json + '}';
}

/// The first `data_start` bytes of a file: length, text, spaces.
std::string PadHeader(std::string_view json, std::uint64_t data_start) {
  const std::uint64_t size = data_start - kPrefixSize;
  std::string header;
  header.reserve(data_start);
  for (unsigned i = 0; i < kPrefixSize; ++i) header += static_cast<char>(size >> 8 * i & 0xFF);
  header += json;
  header.resize(data_start, ' ');
  return header;
}

[[noreturn]] void Refuse(std::string_view name, std::string_view why) {
  throw Error(ErrorCode::kUsage, fmt::format("cannot write tensor {}: {}", Quote(name), why));
}

/// Size in bytes of a tensor that can be written.
std::uint64_t SizeOf(const TensorSpec& tensor) {
  const std::optional<std::uint64_t> count = ElementCount(tensor.info.shape);
  std::uint64_t bits = 0;
  if (!count || __builtin_mul_overflow(*count, Info(tensor.info.dtype).bits, &bits)) {
    Refuse(tensor.name, "its size exceeds 64 bits");
  }
  if (bits % 8 != 0) {
    Refuse(tensor.name, fmt::format("{} {} does not fill whole bytes", Info(tensor.info.dtype).name,
                                    ToString(tensor.info.shape)));
  }
  return bits / 8;
}

}  // namespace

HeaderLayout LayOut(std::vector<TensorSpec> tensors, const std::optional<Metadata>& metadata,
                    std::uint64_t alignment) {
  std::ranges::sort(tensors, [](const TensorSpec& a, const TensorSpec& b) {
    return std::tie(b.info.dtype, a.name) < std::tie(a.info.dtype, b.name);
  });
  HeaderLayout layout;
  layout.tensors.reserve(tensors.size());
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  std::uint64_t end = 0;
  for (TensorSpec& tensor : tensors) {
    if (tensor.name == kMetadataKey) Refuse(tensor.name, "the name is taken by the metadata");
    const std::uint64_t begin = end;
    if (__builtin_add_overflow(begin, SizeOf(tensor), &end)) {
      Refuse(tensor.name, "the size of the file exceeds 64 bits");
    }
    layout.tensors.push_back({std::move(tensor.name), std::move(tensor.info), begin, end});
    names.push_back(layout.tensors.back().name);
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) Refuse(*twice, "another tensor has the same name");

  const std::string json = HeaderJson(layout.tensors, metadata);
  layout.data_start = (kPrefixSize + json.size() + alignment - 1) / alignment * alignment;
  if (layout.data_start - kPrefixSize > kMaxHeaderSize) {
    throw Error(ErrorCode::kUsage,
                fmt::format("the header would have {} bytes, and at most {} are allowed",
                            layout.data_start - kPrefixSize, kMaxHeaderSize));
  }
  if (__builtin_add_overflow(layout.data_start, end, &layout.file_size)) {
    throw Error(ErrorCode::kUsage, "the size of the file would exceed 64 bits");
  }
  layout.header = PadHeader(json, layout.data_start);
  return layout;
}

std::optional<std::string> ReplaceMetadata(const HeaderLayout& layout,
                                           const std::optional<Metadata>& metadata) {
  const std::string json = HeaderJson(layout.tensors, metadata);
  if (kPrefixSize + json.size() > layout.data_start) return std::nullopt;
  return PadHeader(json, layout.data_start);
}

}  // namespace weightsmith::internal
