// The error of an input file that is not there, which front ends may tell from a malformed one.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace weightsmith::internal {

/// Its code is kInput.
class MissingFile : public Error {
 public:
  explicit MissingFile(std::string message, std::string advice = {},
                       std::vector<Option> options = {})
      : Error(ErrorCode::kInput, std::move(message), std::move(advice), std::move(options)) {}
};

}  // namespace weightsmith::internal
