// The header of an open safetensors file.
#pragma once

#include <string>

#include "core/formats/safetensors/header.h"
#include "core/io/byte_source.h"

namespace weightsmith::internal {

/// The first bytes of `file`, enough to tell what it is.
std::string ReadHead(const ByteSource& file);

/// Reads and validates the header of `file`. Throws kInput, naming the file.
SafetensorsHeader ReadHeader(const ByteSource& file);

}  // namespace weightsmith::internal
