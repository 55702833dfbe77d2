// What a verification found, as JSON.
#pragma once

#include <string>

#include "core/base/error.h"
#include "recipes/jobs/verify.h"

namespace weightsmith::internal {

/// What `verify --json` prints; `error`: what ended it, if anything.
std::string VerificationJson(const Verification& found, const Error* error = nullptr);
/// Its schema, without "$schema".
std::string VerificationSchema();

}  // namespace weightsmith::internal
