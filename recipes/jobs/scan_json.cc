#include "recipes/jobs/scan_json.h"

#include "core/formats/torch/scan_path.h"
#include "recipes/jobs/record-inl.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith::internal {

template <>
const Record<ScanResult::Global>& RecordOf() {
  static const Record<ScanResult::Global> record = {
      "ScannedGlobal",
      "What loading a file with Python would import or call.",
      {{"name", &ScanResult::Global::name, "With dots, such as \"os.system\"."},
       {"safety", &ScanResult::Global::safety, "One of \"safe\", \"unknown\" and \"dangerous\"."}}};
  return record;
}

template <>
const Record<ScannedFile>& RecordOf() {
  const auto result = [](auto member) { return Through(&ScannedFile::result, member); };
  static const Record<ScannedFile> record = {
      "ScanResult",
      "Whether loading a file with Python would be safe.",
      {{"path", &ScannedFile::path, "The file."},
       {"safe", result(&ScanResult::safe), "Loading it calls nothing but what makes tensors."},
       {"verdict", result(Verdict),
        "One of \"safe\", \"dangerous\", \"ambiguous\", \"unknown code\", \"malformed\" and "
        "\"missing\"."},
       {"format", result(&ScanResult::format), "By its content: \"safetensors\", \"torch-zip\" …"},
       {"problems", result(&ScanResult::problems), "What no program reads."},
       {"ambiguities", result(&ScanResult::ambiguities),
        "What other programs could read differently."},
       {"unusual", result(&ScanResult::unusual), "What pickles do that no checkpoint needs."},
       {"globals", result(&ScanResult::globals), "What its pickles name, sorted."}}};
  return record;
}

std::string_view Verdict(const ScanResult& result) {
  if (result.safe()) return "safe";
  if (result.missing) return "missing";
  if (result.dangerous()) return "dangerous";
  if (!result.ambiguities.empty()) return "ambiguous";
  return result.problems.empty() ? "unknown code" : "malformed";
}

Json ScanValue(const std::vector<ScannedFile>& files) {
  return JsonValue<std::vector<ScannedFile>>::Write(files);
}

std::string ScanJson(const std::vector<ScannedFile>& files) {
  return ToText(ScanValue(files));
}

std::string ScanSchema() {
  return ToLine(JsonValue<std::vector<ScannedFile>>::Schema());
}

}  // namespace weightsmith::internal
