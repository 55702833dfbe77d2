// JSON as commands print it and Python gets it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace weightsmith::internal {

/// Keys stay in the order in which they were put in.
using Json = nlohmann::ordered_json;

/// Two spaces a level and a newline at the end; invalid UTF-8 (in a path) is replaced.
inline std::string ToText(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace weightsmith::internal
