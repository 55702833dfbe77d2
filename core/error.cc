#include "core/error.h"

namespace weightsmith {

Error::Error(ErrorCode code, std::string message, std::string advice)
    : code_(code), message_(std::move(message)), advice_(std::move(advice)), full_(message_) {}

void Error::AddContext(std::string_view doing) {
  full_.insert(0, ": ");
  full_.insert(0, doing);
}

}  // namespace weightsmith
