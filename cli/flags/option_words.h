// How the command line spells the settings that errors advise.
#pragma once

#include <string>

#include "core/base/error.h"
#include "recipes/diagnostic.h"

namespace weightsmith::internal {

/// The advice of an error with a sentence for each of its options.
std::string AdviceOf(const Error& error);

/// How the command line spells what a message about a recipe names.
Spelling CommandLineSpelling();

}  // namespace weightsmith::internal
