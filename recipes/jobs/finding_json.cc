#include "recipes/jobs/finding_json-inl.h"

#include <optional>
#include <string>

namespace weightsmith::internal {
namespace {

std::optional<std::string> SubjectName(const std::string& operand) {
  return operand.empty() ? std::nullopt : std::optional(operand);
}

}  // namespace

template <>
const Record<FindingReport>& RecordOf() {
  static const Record<FindingReport> record = {
      "Finding",
      "What a step did to the tensors of a component, in its method's own words: a share that it "
      "kept, an angle.",
      {{"component", &FindingReport::component, "The component."},
       {"label", &FindingReport::label, "What it is: \"kept\"."},
       {"operand", [](const FindingReport& each) { return SubjectName(each.operand); },
        "The operand that it is about.", kOptional},
       {"unit", &FindingReport::unit, "\"number\", \"share\" (0 to 1), \"degrees\" or \"count\"."},
       {"tensors", &FindingReport::tensors, "Tensors that have it."},
       {"lowest", &FindingReport::lowest, "The least of any tensor."},
       {"mean", &FindingReport::mean, "The mean, by the elements of the tensors."},
       {"highest", &FindingReport::highest, "The largest of any tensor."},
       {"of", &FindingReport::of, "Of a count: out of how many, the mean likewise.", kOptional}}};
  return record;
}

template <>
const Record<TensorFinding>& RecordOf() {
  static const Record<TensorFinding> record = {
      "TensorFinding",
      "What a step did to a tensor, in its method's own words.",
      {{"step", &TensorFinding::step, "The recipe's name of the step."},
       {"label", &TensorFinding::label, "What it is: \"kept\"."},
       {"operand", [](const TensorFinding& each) { return SubjectName(each.operand); },
        "The operand that it is about.", kOptional},
       {"unit", &TensorFinding::unit, "\"number\", \"share\" (0 to 1), \"degrees\" or \"count\"."},
       {"value", &TensorFinding::value,
        "It; a share of a large tensor is that of tiles spread over it."},
       {"of", &TensorFinding::of, "Of a count: out of how many.", kOptional}}};
  return record;
}

}  // namespace weightsmith::internal
