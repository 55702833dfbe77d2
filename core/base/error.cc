#include "core/base/error.h"

namespace weightsmith::internal {

Error::Error(ErrorCode code, std::string message, std::string advice, std::vector<Option> options)
    : code_(code),
      message_(std::move(message)),
      advice_(std::move(advice)),
      full_(message_),
      options_(std::move(options)) {}

void Error::AddContext(std::string_view doing) {
  full_.insert(0, ": ");
  full_.insert(0, doing);
}

}  // namespace weightsmith::internal
