#include "core/formats/torch/zip_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_set>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kLocator64 = 0x07064b50;
constexpr std::uint64_t kEndSize = 22;
constexpr std::uint64_t kEnd64Size = 56;
constexpr std::uint64_t kLocatorSize = 20;
constexpr std::uint64_t kLocalSize = 30;
constexpr std::uint64_t kDirectorySize = 46;
constexpr std::uint64_t kLongestComment = 0xFFFF;
/// Real directories of the largest models have less than 1 MB.
constexpr std::uint64_t kLargestDirectory = std::uint64_t{64} << 20;
constexpr std::uint16_t kZip64Extra = 1;
/// Another name, which some readers prefer.
constexpr std::uint16_t kUnicodePathExtra = 0x7075;
/// What torch, zipfile and their like write; newer features are not read by all.
constexpr std::uint16_t kNewestVersion = 45;
constexpr std::uint32_t kDosFolder = 0x10;
constexpr std::uint32_t kDescriptor = 0x08074b50;
/// Encrypted, compressed patched data, strong encryption, masked directory.
constexpr std::uint16_t kUnreadable = 0x0001 | 0x0020 | 0x0040 | 0x2000;
constexpr std::uint16_t kDescriptorFollows = 0x0008;
constexpr std::uint16_t kNameIsUtf8 = 0x0800;
constexpr std::string_view kSaveAgain =
    "torch.save writes no such file, and programs would not agree on what it holds. Get it from "
    "its publisher again; if it is yours, save it with torch.save or as safetensors.";

[[noreturn]] void RefuseArchive(const std::string& problem, std::string_view advice = kSaveAgain) {
  throw Error(ErrorCode::kInput, "the zip archive " + problem, std::string(advice));
}

std::uint64_t Little(std::string_view bytes, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  }
  return value;
}
std::uint16_t U16(std::string_view bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(Little(bytes, offset, 2));
}
std::uint32_t U32(std::string_view bytes, std::size_t offset) {
  return static_cast<std::uint32_t>(Little(bytes, offset, 4));
}
std::uint64_t U64(std::string_view bytes, std::size_t offset) {
  return Little(bytes, offset, 8);
}

std::string ReadBytes(const ByteSource& file, std::uint64_t offset, std::uint64_t size) {
  if (offset > file.size() || size > file.size() - offset) RefuseArchive("is cut off");
  return ReadText(file, offset, size);
}

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
};

/// The end record is the one whose comment ends with the file; some readers take the last that
/// there is, so that it must be the same.
std::uint64_t FindEnd(const ByteSource& file) {
  constexpr std::string_view kSignature("PK\x05\x06");
  const std::uint64_t size = std::min(file.size(), kEndSize + kLongestComment);
  const std::string tail = ReadBytes(file, file.size() - size, size);
  for (std::uint64_t at = size < kEndSize ? 0 : size - kEndSize + 1; at-- > 0;) {
    if (U32(tail, at) != kEnd || at + kEndSize + U16(tail, at + 20) != size) continue;
    if (tail.find(kSignature, at + 1) != std::string::npos) RefuseArchive("has two end records");
    // A reader of streams would take records in the comment for the archive's.
    if (tail.find("PK", at + kEndSize) != std::string::npos) {
      RefuseArchive("has records of an archive in its comment");
    }
    return file.size() - size + at;
  }
  RefuseArchive("has no directory: the file was cut off, or something follows the archive",
                "Get the file again.");
}

/// Where both records tell a number, they must tell the same.
std::uint64_t Agreed(std::uint64_t narrow, std::uint64_t saturated, std::uint64_t wide) {
  if (narrow != saturated && narrow != wide) RefuseArchive("has two directories that differ");
  return wide;
}

Directory FindDirectory(const ByteSource& file) {
  const std::uint64_t end = FindEnd(file);
  const std::string record = ReadBytes(file, end, kEndSize);
  if (U16(record, 4) != 0 || U16(record, 6) != 0) RefuseArchive("is one of several parts");
  Directory directory{U32(record, 16), U32(record, 12), U16(record, 10)};
  if (U16(record, 8) != directory.count) RefuseArchive("is one of several parts");
  std::uint64_t behind = end;
  if (end >= kLocatorSize + kEnd64Size) {
    const std::string locator = ReadBytes(file, end - kLocatorSize, kLocatorSize);
    if (U32(locator, 0) == kLocator64) {
      behind = U64(locator, 8);
      if (U32(locator, 4) != 0 || U32(locator, 16) != 1) RefuseArchive("is one of several parts");
      if (behind != end - kLocatorSize - kEnd64Size)
        RefuseArchive("has a misplaced 64-bit end record");
      const std::string wide = ReadBytes(file, behind, kEnd64Size);
      if (U32(wide, 0) != kEnd64 || U64(wide, 4) != kEnd64Size - 12) {
        RefuseArchive("has a malformed 64-bit end record");
      }
      if (U32(wide, 16) != 0 || U32(wide, 20) != 0 || U64(wide, 24) != U64(wide, 32)) {
        RefuseArchive("is one of several parts");
      }
      directory.count = Agreed(directory.count, 0xFFFF, U64(wide, 32));
      directory.size = Agreed(directory.size, 0xFFFFFFFF, U64(wide, 40));
      directory.offset = Agreed(directory.offset, 0xFFFFFFFF, U64(wide, 48));
    }
  }
  if (directory.size > behind || directory.offset != behind - directory.size) {
    RefuseArchive("has a directory that does not end where its end record begins");
  }
  if (directory.size > kLargestDirectory) {
    RefuseArchive(fmt::format("has a directory of {}, more than {}", FormatBytes(directory.size),
                              FormatBytes(kLargestDirectory)));
  }
  if (directory.count > directory.size / kDirectorySize)
    RefuseArchive("counts more files than it lists");
  return directory;
}

/// A name that every reader takes for the same.
bool IsPlainName(std::string_view name) {
  if (name.empty() || name.front() == '/') return false;
  const auto odd = [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '\\' || c == ':'; };
  if (std::ranges::any_of(name, odd)) return false;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view step = name.substr(at, end - at);
    if (step == ".." || step == "." || (step.empty() && end != name.size())) return false;
    at = end + 1;
  }
  return true;
}

struct DirectoryEntry {
  ZipEntry entry;
  std::uint64_t header = 0;  ///< of its local header
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t checksum = 0;
  std::uint64_t length = 0;  ///< of the directory's record
};

/// The content of the extra field `id`; nothing where there is none. All must be well-formed.
std::optional<std::string_view> FindExtra(std::string_view extra, std::uint16_t id,
                                          const std::string& quoted) {
  std::optional<std::string_view> found;
  while (!extra.empty()) {
    const std::uint64_t size = extra.size() < 4 ? extra.size() : U16(extra, 2);
    if (extra.size() < 4 || size > extra.size() - 4) {
      RefuseArchive(fmt::format("has a malformed extra field at {}", quoted));
    }
    if (U16(extra, 0) == id) {
      if (found) RefuseArchive(fmt::format("has an extra field twice at {}", quoted));
      found = extra.substr(4, size);
    }
    extra.remove_prefix(4 + size);
  }
  return found;
}

/// Takes the numbers that are saturated in the record from its 64-bit extra field.
void Widen(std::string_view extra, DirectoryEntry& entry, std::uint64_t& stored) {
  std::vector<std::uint64_t*> wanted;
  for (std::uint64_t* number : {&entry.entry.size, &stored, &entry.header}) {
    if (*number == 0xFFFFFFFF) wanted.push_back(number);
  }
  const std::string quoted = Quote(entry.entry.name);
  const auto wide = FindExtra(extra, kZip64Extra, quoted);
  if (FindExtra(extra, kUnicodePathExtra, quoted)) {
    RefuseArchive(fmt::format("has a second name for {}", quoted));
  }
  if (wanted.empty()) return;
  if (wide && wide->size() >= 8 * wanted.size()) {
    for (std::size_t i = 0; i < wanted.size(); ++i) *wanted[i] = U64(*wide, 8 * i);
    return;
  }
  RefuseArchive(fmt::format("lacks the 64-bit sizes of {}", quoted));
}

void ExpectPlainName(const DirectoryEntry& entry, bool folder) {
  const std::string& name = entry.entry.name;
  const bool ascii =
      std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  const bool text = ascii || ((entry.flags & kNameIsUtf8) != 0 &&
                              FindInvalidUtf8(name) == std::string_view::npos);
  // What one reader takes for a folder has no bytes for it.
  const bool slash = name.ends_with('/');
  if (!IsPlainName(name) || !text || (folder && !slash) || (slash && entry.entry.size != 0)) {
    RefuseArchive(
        fmt::format("has a file of the name {}, which readers take differently", Quote(name)));
  }
}

DirectoryEntry ParseDirectoryEntry(std::string_view rest) {
  if (rest.size() < kDirectorySize || U32(rest, 0) != kDirectoryHeader) {
    RefuseArchive("has a malformed directory");
  }
  const std::uint64_t name = U16(rest, 28);
  const std::uint64_t extra = U16(rest, 30);
  DirectoryEntry entry;
  entry.length = kDirectorySize + name + extra + U16(rest, 32);
  if (entry.length > rest.size()) RefuseArchive("has a malformed directory");
  entry.entry.name = rest.substr(kDirectorySize, name);
  entry.entry.size = U32(rest, 24);
  entry.header = U32(rest, 42);
  entry.flags = U16(rest, 8);
  entry.method = U16(rest, 10);
  entry.checksum = U32(rest, 16);
  std::uint64_t stored = U32(rest, 20);
  Widen(rest.substr(kDirectorySize + name, extra), entry, stored);

  const std::string quoted = Quote(entry.entry.name);
  ExpectPlainName(entry, (U32(rest, 38) & kDosFolder) != 0);
  if ((entry.flags & kUnreadable) != 0) {
    RefuseArchive(fmt::format("is encrypted (at {})", quoted), "Decrypt it first.");
  }
  if (entry.method != 0) {
    RefuseArchive(fmt::format("is compressed (at {}), and checkpoints are not", quoted),
                  "Unpack it and save it again with torch.save, or as safetensors.");
  }
  if (stored != entry.entry.size) RefuseArchive(fmt::format("has two sizes for {}", quoted));
  if (U16(rest, 34) != 0) RefuseArchive("is one of several parts");
  if (U16(rest, 6) > kNewestVersion) {
    RefuseArchive(fmt::format("asks for version {} of the format at {}", U16(rest, 6), quoted));
  }
  return entry;
}

/// The local header has the directory's sizes and checksum, or leaves them to a descriptor.
void ExpectSameSizes(const ByteSource& file, std::string_view local, const DirectoryEntry& entry) {
  constexpr std::uint32_t kSaturated = 0xFFFFFFFF;
  const std::string quoted = Quote(entry.entry.name);
  const bool described = (entry.flags & kDescriptorFollows) != 0;
  const std::uint32_t checksum = U32(local, 14);
  if (checksum != entry.checksum && !(described && checksum == 0)) {
    RefuseArchive(fmt::format("has two checksums for {}", quoted));
  }
  const std::uint64_t sizes[] = {U32(local, 22), U32(local, 18)};
  std::uint64_t wide_size = entry.entry.size;
  if (sizes[0] == kSaturated || sizes[1] == kSaturated) {
    const std::string extra =
        ReadBytes(file, entry.header + kLocalSize + entry.entry.name.size(), U16(local, 28));
    const auto wide = FindExtra(extra, kZip64Extra, quoted);
    if (!wide || wide->size() < 16)
      RefuseArchive(fmt::format("lacks the 64-bit sizes of {}", quoted));
    wide_size = U64(*wide, 0) == U64(*wide, 8) ? U64(*wide, 0) : ~std::uint64_t{0};
  }
  for (const std::uint64_t size : sizes) {
    const std::uint64_t meant = size == kSaturated ? wide_size : size;
    if (meant == entry.entry.size || (described && meant == 0)) continue;
    RefuseArchive(fmt::format("has two sizes for {}", quoted));
  }
}

/// Finds where the bytes begin, by the local header, which must say what the directory says.
void Locate(const ByteSource& file, const Directory& directory, DirectoryEntry& entry) {
  const std::string quoted = Quote(entry.entry.name);
  if (entry.header > directory.offset || directory.offset - entry.header < kLocalSize) {
    RefuseArchive(fmt::format("places {} outside its data", quoted));
  }
  const std::uint64_t name = entry.entry.name.size();
  const std::uint64_t known = std::min(kLocalSize + name, directory.offset - entry.header);
  const std::string local = ReadBytes(file, entry.header, known);
  if (U32(local, 0) != kLocalHeader) RefuseArchive(fmt::format("has no header for {}", quoted));
  if (U16(local, 26) != name || std::string_view(local).substr(kLocalSize) != entry.entry.name) {
    RefuseArchive(
        fmt::format("calls {} otherwise in its own header: readers would not agree", quoted));
  }
  if (U16(local, 8) != entry.method || U16(local, 6) != entry.flags) {
    RefuseArchive(fmt::format("describes {} in two ways: readers would not agree", quoted));
  }
  ExpectSameSizes(file, local, entry);
  entry.entry.offset = entry.header + kLocalSize + name + U16(local, 28);
  if (entry.entry.offset > directory.offset ||
      entry.entry.size > directory.offset - entry.entry.offset) {
    RefuseArchive(fmt::format("places {} outside its data", quoted));
  }
}

/// Bytes behind the file's own that repeat its checksum and size.
std::uint64_t DescriptorSize(const ByteSource& file, const DirectoryEntry& entry,
                             std::uint64_t room) {
  if ((entry.flags & kDescriptorFollows) == 0) return 0;
  const std::uint64_t size = entry.entry.size;
  const std::string bytes =
      ReadBytes(file, entry.entry.offset + size, std::min<std::uint64_t>(room, 24));
  if (bytes.size() >= 16 && U32(bytes, 0) == kDescriptor && U32(bytes, 4) == entry.checksum) {
    if (bytes.size() == 24 && U64(bytes, 8) == size && U64(bytes, 16) == size) return 24;
    if (U32(bytes, 8) == size && U32(bytes, 12) == size) return 16;
  }
  RefuseArchive(
      fmt::format("describes {} in two ways: readers would not agree", Quote(entry.entry.name)));
}

/// The files lie one after the other from the first byte on, and nothing lies between them: bytes
/// that belong to none would be another file for another reader.
void ExpectNothingBetween(const ByteSource& file, std::vector<DirectoryEntry>& entries,
                          std::uint64_t directory) {
  std::ranges::sort(entries, {}, &DirectoryEntry::header);
  std::uint64_t end = 0;
  std::string before;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const DirectoryEntry& entry = entries[i];
    const std::string quoted = Quote(entry.entry.name);
    if (entry.header < end) {
      RefuseArchive(fmt::format("has files that overlap: {} and {}", before, quoted));
    }
    if (entry.header > end) {
      RefuseArchive(fmt::format("has {} bytes in front of {} that belong to no file",
                                FormatCount(entry.header - end), quoted));
    }
    const std::uint64_t next = i + 1 < entries.size() ? entries[i + 1].header : directory;
    end = entry.entry.offset + entry.entry.size;
    if (end > next) RefuseArchive(fmt::format("has files that overlap, {} and the next", quoted));
    end += DescriptorSize(file, entry, next - end);
    before = quoted;
  }
  if (end != directory) {
    RefuseArchive(fmt::format("has {} bytes in front of its directory that belong to no file",
                              FormatCount(directory - end)));
  }
}

/// As torch compares names: without regard to the case of ASCII.
std::string Folded(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

}  // namespace

const ZipEntry* ZipArchive::Find(std::string_view name) const {
  const auto found = std::ranges::find(entries, name, &ZipEntry::name);
  return found == entries.end() ? nullptr : &*found;
}

ZipArchive ReadZip(const ByteSource& file) {
  const Directory directory = FindDirectory(file);
  const std::string bytes = ReadBytes(file, directory.offset, directory.size);
  std::string_view rest = bytes;
  std::vector<DirectoryEntry> entries;
  std::unordered_set<std::string> names;
  ZipArchive archive;
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    DirectoryEntry entry = ParseDirectoryEntry(rest);
    rest.remove_prefix(entry.length);
    Locate(file, directory, entry);
    if (!names.insert(Folded(entry.entry.name)).second) {
      RefuseArchive(fmt::format("has two files of the name {}, or names that differ by case only",
                                Quote(entry.entry.name)));
    }
    archive.entries.push_back(entry.entry);
    entries.push_back(std::move(entry));
  }
  if (!rest.empty()) RefuseArchive("lists more files than it counts");
  ExpectNothingBetween(file, entries, directory.offset);
  return archive;
}

}  // namespace weightsmith::internal
