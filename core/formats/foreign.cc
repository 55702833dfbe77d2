#include "core/formats/foreign.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "core/base/utf8.h"

namespace weightsmith::internal {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kConvert =
    "Only pickles of torch.save are read. Load it in the program that wrote it, and save its "
    "state_dict() with torch.save or as safetensors.";

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  std::string_view name;
  std::string_view advice;
};

constexpr std::array kMagics = {
    Magic{0, "PK\x03\x04", "a zip archive, as torch.save writes",
          "`weightsmith convert` makes a .safetensors file of it."},
    Magic{0, "PYTORCH1", "a file of a preview of PyTorch", kConvert},
    Magic{257, "ustar", "a tar archive", "Unpack it; if it is a file of torch 0.1, save it again."},
    Magic{0, "\x80\x02", "a pickle", kConvert},
    Magic{0, "\x80\x03", "a pickle", kConvert},
    Magic{0, "\x80\x04", "a pickle", kConvert},
    Magic{0, "\x80\x05", "a pickle", kConvert},
    Magic{0, "GGUF", "a GGUF file", "GGUF is not read by this version: use the .safetensors file."},
    Magic{0, "7z\xBC\xAF\x27\x1C", "a 7z archive", "Unpack it first."},
    Magic{0, "\x1F\x8B", "a gzip file", "Unpack it first."},
    Magic{0, "\x28\xB5\x2F\xFD", "a zstd file", "Unpack it first."},
    Magic{0, "\x89HDF\r\n\x1A\n", "an HDF5 file", ""},
    Magic{0, "\x93NUMPY", "a NumPy array file", ""},
    Magic{0, "version https://git-lfs.github.com/spec/"sv, "a Git LFS pointer, not the file itself",
          "Run `git lfs pull` in its repository, or download the file itself."},
};

/// Text, if it is UTF-8 without control characters; the last character may be cut off.
bool IsText(std::string_view head) {
  const std::size_t invalid = FindInvalidUtf8(head);
  return (invalid == std::string_view::npos || invalid + 4 > kSniffSize) &&
         std::ranges::all_of(head, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return (byte >= 0x20 && byte != 0x7F) || c == '\n' || c == '\r' || c == '\t';
         });
}

bool IsHtml(std::string_view head) {
  const std::string lower = Lowercase(head);
  return lower.find("<!doctype html") != std::string::npos ||
         lower.find("<html") != std::string::npos || lower.find("<head") != std::string::npos;
}

}  // namespace

std::optional<ForeignFormat> SniffForeignFormat(std::string_view head) {
  for (const Magic& magic : kMagics) {
    if (head.size() >= magic.offset && head.substr(magic.offset).starts_with(magic.bytes)) {
      return ForeignFormat{std::string(magic.name), std::string(magic.advice)};
    }
  }
  if (head.size() < 8 || !IsText(head)) return std::nullopt;
  if (IsHtml(head)) {
    return ForeignFormat{"a web page (HTML)",
                         "The download gave a page instead of the file, perhaps because it asks "
                         "for a login."};
  }
  return ForeignFormat{"a text file",
                       "Perhaps a server sent an error message instead of the file."};
}

}  // namespace weightsmith::internal
