// A merge for what one model of the list is for.
#pragma once

#include <optional>
#include <string>

#include "merge/operator.h"

namespace weightsmith::internal {

/// `task`: the number of a model in the list, from 1; may be left out.
ParameterSpec TaskParameter();

/// "" or that there is no such model.
std::string CheckTask(const ArgumentsGiven& given);

/// The index of the model in the list.
std::optional<std::size_t> TaskOf(const Arguments& given);

}  // namespace weightsmith::internal
