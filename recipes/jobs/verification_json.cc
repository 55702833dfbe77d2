#include "recipes/jobs/verification_json.h"

#include <vector>

#include "recipes/jobs/record-inl.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith::internal {
namespace {

struct Outcome {
  const Verification* found;
  const Error* error;
};

bool Right(const Outcome& outcome) {
  return outcome.found->problems.empty() && outcome.error == nullptr;
}

std::vector<std::string> Problems(const Outcome& outcome) {
  std::vector<std::string> problems = outcome.found->problems;
  if (outcome.error != nullptr) problems.emplace_back(outcome.error->what());
  return problems;
}

int Status(const Outcome& outcome) {
  if (Right(outcome)) return 0;
  return static_cast<int>(outcome.error == nullptr ? ErrorCode::kVerification
                                                   : outcome.error->code());
}

}  // namespace

template <>
const Record<Outcome>& RecordOf() {
  const auto found = [](auto member) { return Through(&Outcome::found, member); };
  static const Record<Outcome> record = {
      "Verification",
      "What a file was checked for, and what was found.",
      {{"path", found(&Verification::path), "The file or folder."},
       {"right", Right, "Nothing differs."},
       {"checked", found(&Verification::checked),
        "Of \"structure\", \"finite values\", \"digest\" and \"recomputed\", what was."},
       {"recipe", found(&Verification::recipe), "A recipe is recorded in it."},
       {"problems", Problems, "What differs."},
       {"status", Status, "The exit status of the command line."}}};
  return record;
}

Json VerificationValue(const Verification& found, const Error* error) {
  return JsonValue<Outcome>::Write({&found, error});
}

std::string VerificationJson(const Verification& found, const Error* error) {
  return ToText(VerificationValue(found, error));
}

std::string VerificationSchema() {
  return ToLine(JsonValue<Outcome>::Schema());
}

}  // namespace weightsmith::internal
