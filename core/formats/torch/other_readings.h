// Whether other programs would read the same file in the same bytes. What a file is, each of them
// tells by another rule: by its first bytes, its last ones, its name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/formats/torch/pickle.h"
#include "core/io/byte_source.h"

namespace weightsmith::internal {

enum class TorchFormat { kZip, kLegacy };

/// Throws kInput for a file of torch.save that is also a tar archive, which torch looks for first,
/// also begins as a safetensors file, is a zip archive by its end alone, or is named as a
/// safetensors file.
void ExpectOneReading(const ByteSource& file, TorchFormat format);

/// Throws kInput for a safetensors file that torch.load would take for something of its own: a zip
/// archive, a tar archive, or pickles that reach code.
void ExpectOnlySafetensors(const ByteSource& file);

/// What torch.load would import of a file that is no zip archive, by reading it as pickles from its
/// first byte. Names that no module can have are left out: data looks like them.
std::vector<std::string> CodeFromFirstByte(const ByteSource& file);

/// Whether readers that look at the end of a file, as Python's zipfile does, find a zip archive in
/// it, whatever stands in front.
bool EndsAsZip(const ByteSource& file);

/// Whether a file that begins with `head` is a tar archive, by the checksum of its first header.
bool BeginsAsTar(std::string_view head);

}  // namespace weightsmith::internal
