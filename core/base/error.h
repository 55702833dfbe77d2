// The one exception type, which is the library's own (weightsmith/error.h), with its context.
// Nothing below cli/ prints, aborts or exits.
#pragma once

#include <weightsmith/error.h>

#include <string_view>
#include <utility>

namespace weightsmith::internal {

using weightsmith::Error;
using weightsmith::ErrorCode;
using weightsmith::Option;

/// Runs `body`; an Error that leaves it carries `doing` as its outermost context.
template <class Body>
decltype(auto) WithContext(std::string_view doing, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.AddContext(doing);
    throw;
  }
}

}  // namespace weightsmith::internal
