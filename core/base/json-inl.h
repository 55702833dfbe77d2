// JSON as a value, read and written here alone: the library's parser and writer are templates that
// take a compiler seconds wherever they are used.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace weightsmith::internal {

/// Keys stay in the order in which they were put in.
using Json = nlohmann::ordered_json;

/// Two spaces a level and a newline at the end; invalid UTF-8 (in a path) is replaced.
std::string ToText(const Json& json);
/// The same on one line, with neither spaces nor a newline.
std::string ToLine(const Json& json);

/// Throws Json::exception on malformed text; `watch` sees every event, and may throw.
Json ParseJson(std::string_view text, const Json::parser_callback_t& watch = nullptr);
/// `is_discarded()` where the text is malformed.
Json ParseJsonIfValid(std::string_view text, const Json::parser_callback_t& watch = nullptr);

}  // namespace weightsmith::internal
