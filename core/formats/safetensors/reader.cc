#include "core/formats/safetensors/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/foreign.h"
#include "core/io/in_place.h"

namespace weightsmith::internal {
namespace {

/// Whether what follows the length prefix can be a header: other formats are not taken for one.
bool StartsLikeHeader(std::string_view head) {
  return head.size() > kPrefixSize &&
         std::string_view("{ \t\r\n").find(head[kPrefixSize]) != std::string_view::npos;
}

SafetensorsHeader ReadWholeHeader(const ByteSource& file) {
  return WithContext(fmt::format("reading {}", Quote(file.path().string())), [&] {
    if (file.size() == 0) {
      throw Error(ErrorCode::kInput, "the file is empty", "Get the file again.");
    }
    const std::string head = ReadHead(file);
    if (!StartsLikeHeader(head)) {
      if (const auto foreign = SniffForeignFormat(head)) {
        throw Error(ErrorCode::kInput,
                    fmt::format("this is {}, not a safetensors file", foreign->name),
                    foreign->advice);
      }
    }
    const std::uint64_t size = ParseHeaderSize(head, file.size());
    return ParseHeader(ReadText(file, kPrefixSize, size), file.size());
  });
}

}  // namespace

std::string ReadHead(const ByteSource& file) {
  return ReadText(file, 0, std::min<std::uint64_t>(file.size(), kSniffSize));
}

SafetensorsHeader ReadHeader(const ByteSource& file) {
  try {
    return ReadWholeHeader(file);
  } catch (const Error& error) {
    std::error_code ignored;
    const auto side = ReplacementOf(file.path());
    if (!std::filesystem::is_regular_file(side, ignored)) throw;
    throw Error(
        error.code(), error.what(),
        fmt::format("{} is of an interrupted change of its metadata, which 'weightsmith meta' "
                    "completes.",
                    Quote(side.string())));
  }
}

}  // namespace weightsmith::internal
