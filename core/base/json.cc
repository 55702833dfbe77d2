#include "core/base/json-inl.h"

namespace weightsmith::internal {

std::string ToText(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string ToLine(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json ParseJson(std::string_view text, const Json::parser_callback_t& watch) {
  return Json::parse(text, watch);
}

Json ParseJsonIfValid(std::string_view text, const Json::parser_callback_t& watch) {
  return Json::parse(text, watch, /*allow_exceptions=*/false);
}

}  // namespace weightsmith::internal
