// Reading a mapping whose file may be truncated by somebody else at any moment: the system answers
// with SIGBUS, which is turned into a return value while, and only while, our code copies.
#pragma once

#include <cstddef>

namespace weightsmith::internal {

/// Copies `size` bytes out of a mapping; false when a page of it is no longer backed by its file.
/// Any thread. The first call installs the handler; a SIGBUS from elsewhere goes on to the handler
/// that was there before.
bool CopyFromMapping(std::byte* to, const std::byte* from, std::size_t size);

}  // namespace weightsmith::internal
