// The version of this program and library, from the file VERSION, and which build of it runs.
#pragma once

#include <weightsmith/version.h>

#include <string>

namespace weightsmith::internal {

using weightsmith::Version;

/// What the linker calls this build of the code, in hexadecimal digits: the same on every machine
/// that runs it, another after any change of the code. Empty where the linker gave it no name.
const std::string& BuildId();

}  // namespace weightsmith::internal
