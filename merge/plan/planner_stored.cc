#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "merge/plan/planner.h"

namespace weightsmith::internal {
namespace {

std::string SchemeOf(const ModelIndex& model, const TensorKey& key) {
  const ModelTensor& tensor = *model.Find(key);
  const auto& schemes = model.model().parts[tensor.part].anatomy.quantization;
  return schemes.empty() ? "codes" : schemes.front();
}

}  // namespace

/// A tensor that some model stores as codes, or beside codes. What is only copied is copied with
/// all that belongs to it; anything else is a problem.
void Planner::PlanStored(const TensorKey& key, const PlannedTensor& tensor) {
  std::vector<Want> plain;
  for (const Want& want : WantsOf(key)) {
    const StoredWeight* weight = nullptr;
    for (const std::uint32_t model : want.origin.models) {
      if (weight == nullptr) weight = index_.models()[model].NotDecoded(key);
    }
    // One that is copied with what belongs to it is done by the first of its keys.
    const bool copied =
        weight != nullptr && (weight->keys.front() != key || CopyStored(key, tensor, want));
    if (!copied) plain.push_back(want);
  }
  if (!plain.empty()) PlanPlain(key, tensor, plain);
}

/// Says no where the result has nothing of any codes.
bool Planner::CopyStored(const TensorKey& key, const PlannedTensor& tensor, const Want& want) {
  const TensorPlace place = places_.Of(*tensor.first, tensor.canonical);
  TensorEvaluator evaluator(index_, key, tensor.canonical, place, problems_, plan_.applied.size());
  const TensorEvaluator::Result result = evaluator.Evaluate(want.origin.node);
  Remember(evaluator);
  if (!result.present) return true;
  const Lowering::Finished finished = evaluator.TakeLowering().Finish(std::array{result.value});
  const Register value = finished.results.front().reg();
  const bool copy = value < finished.sources.size();
  const auto stored_in = [&](Register source) -> const StoredWeight* {
    const TapeSource& from = evaluator.sources()[source];
    return from.delta ? nullptr : index_.models()[from.model].NotDecoded(key);
  };
  if (std::ranges::none_of(finished.sources, stored_in)) return false;
  const OutputSpec& spec = plan_.outputs[want.output].spec;
  if (!copy || spec.dtype.Find(place).value_or(std::nullopt)) {
    for (const Register source : finished.sources) {
      const StoredWeight* weight = stored_in(source);
      if (weight == nullptr) continue;
      const ModelIndex& model = index_.models()[evaluator.sources()[source].model];
      problems_.AddQuantised(model.model().name, SchemeOf(model, key), InWords(*weight));
    }
    return true;
  }
  const std::uint32_t model = evaluator.sources()[finished.sources[value]].model;
  considered_.insert(model);
  CopyWeight(*stored_in(finished.sources[value]), model, want);
  return true;
}

void Planner::CopyWeight(const StoredWeight& weight, std::uint32_t model, const Want& want) {
  for (const TensorKey& key : weight.keys) {
    AddCopy(key, Of(model, key).anatomy->canonical, model, want);
  }
}

}  // namespace weightsmith::internal
