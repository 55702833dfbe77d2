// Bytes that the program puts in the place of some that a file has.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/io/byte_source.h"

namespace weightsmith::internal {

/// Reads `bytes`, from offset 0, and stands for `file`: its path, its identity.
std::shared_ptr<const ByteSource> SubstituteFor(const ByteSource& file,
                                                std::vector<std::byte> bytes);

}  // namespace weightsmith::internal
