// The Error that a piece of code throws.
#pragma once

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace weightsmith::internal {

template <class Body>
Error Caught(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "expected an Error";
  return Error(ErrorCode::kFailed, "no error");
}

}  // namespace weightsmith::internal
