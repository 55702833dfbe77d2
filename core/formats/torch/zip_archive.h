// The directory of a zip archive, as strictly as two readers of one file can agree on it: what
// torch writes and nothing cleverer. Nothing is ever extracted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/byte_source.h"

namespace weightsmith::internal {

/// One file of an archive, stored without compression.
struct ZipEntry {
  std::string name;
  std::uint64_t offset = 0;  ///< of its bytes, in the archive's file
  std::uint64_t size = 0;
};

struct ZipArchive {
  std::vector<ZipEntry> entries;  ///< in the directory's order, names unique

  const ZipEntry* Find(std::string_view name) const;
};

/// Reads the directory and every local header. Throws kInput for what is malformed, compressed,
/// encrypted or split, and for whatever two readers could take differently: headers that
/// contradict the directory, two end records, names that differ by case only, entries that overlap,
/// bytes in front of, between or behind the entries. Checksums are compared with each other and not
/// with the data: torch writes wrong ones on request.
ZipArchive ReadZip(const ByteSource& file);

}  // namespace weightsmith::internal
