// The schemas of what the program prints as JSON. Scripts rely on these names.
#pragma once

#include <string>

namespace weightsmith::internal {

/// JSON, without "$schema" and "title".
std::string InfoSchema();
std::string PlanSchema();
std::string ReportSchema();

}  // namespace weightsmith::internal
