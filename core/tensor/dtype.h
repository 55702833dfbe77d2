// Element types: those of weightsmith/tensor.h, and all of their spellings.
#pragma once

#include <weightsmith/tensor.h>

#include <string_view>
#include <vector>

namespace weightsmith::internal {

using weightsmith::DType;
using weightsmith::DTypeByName;
using weightsmith::DTypeByWord;
using weightsmith::DTypeInfo;
using weightsmith::DTypeKind;
using weightsmith::DTypes;
using weightsmith::Info;

/// Every spelling of it that DTypeByWord reads, in lower case; its own word first.
std::vector<std::string_view> Spellings(DType dtype);

}  // namespace weightsmith::internal
