// The step of an everyday merge: any operator of the table, with models in the order of its
// operands.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "merge/operator.h"

namespace weightsmith::internal {

/// Numbers, booleans, flow mappings and lists as they are; else a text.
std::string ScalarOrFlow(const std::string& value);

/// `{op: ties, base: d, of: [{model: a, weight: 0.6}, {model: b, weight: 0.4}], density: 0.3}`.
/// `models` are the operands in their order, then the list; operands that may be left out are among
/// them where `has_base` says so, or where there is no list. Parameters are as a recipe writes
/// them; "weights" is a number for each entry of the list ("0.6,0.4"), equal shares where it is not
/// there, and so is another that an entry may have of its own. Throws kUsage where the operator
/// takes another number of models, or a list of numbers has another length.
std::string StepText(const Operator& op, std::span<const std::string> models,
                     std::span<const std::pair<std::string, std::string>> parameters,
                     bool has_base = false);

/// What the value of a parameter is written behind: "--density ", "--param lambda=".
std::string FlagOfParameter(std::string_view parameter);

/// How many models the operator needs at least.
std::size_t LeastModels(const Operator& op);

/// Where in the order of the models the operand stands that is called so. Throws kUsage where the
/// operator has none.
std::size_t PlaceOfBase(const Operator& op);

}  // namespace weightsmith::internal
