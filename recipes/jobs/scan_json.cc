#include "recipes/jobs/scan_json.h"

#include <utility>

#include "recipes/jobs/json-inl.h"

namespace weightsmith::internal {
namespace {

Json ToJson(const ScannedFile& file) {
  const auto& [path, result] = file;
  Json globals = Json::array();
  for (const ScanResult::Global& global : result.globals) {
    globals.push_back({{"name", global.name}, {"safety", ToString(global.safety)}});
  }
  return {{"path", path},
          {"safe", result.safe()},
          {"verdict", Verdict(result)},
          {"format", result.format},
          {"problems", result.problems},
          {"ambiguities", result.ambiguities},
          {"unusual", result.unusual},
          {"globals", std::move(globals)}};
}

}  // namespace

std::string_view Verdict(const ScanResult& result) {
  if (result.safe()) return "safe";
  if (result.missing) return "missing";
  if (result.dangerous()) return "dangerous";
  if (!result.ambiguities.empty()) return "ambiguous";
  return result.problems.empty() ? "unknown code" : "malformed";
}

std::string ScanJson(std::span<const ScannedFile> files) {
  Json all = Json::array();
  for (const ScannedFile& file : files) all.push_back(ToJson(file));
  return ToText(all);
}

}  // namespace weightsmith::internal
