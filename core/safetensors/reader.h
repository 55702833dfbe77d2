// The header of an open safetensors file.
#pragma once

#include "core/io/byte_source.h"
#include "core/safetensors/header.h"

namespace weightsmith {

/// Reads and validates the header of `file`. Throws kInput, naming the file.
SafetensorsHeader ReadHeader(const ByteSource& file);

}  // namespace weightsmith
