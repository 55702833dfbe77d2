#include "merge/plan/coded_tensors.h"

#include <algorithm>
#include <array>
#include <string>

namespace weightsmith::internal {
namespace {

std::string SchemeOf(const ModelIndex& model, const TensorKey& key) {
  const ModelTensor& tensor = *model.Find(key);
  const auto& schemes = model.model().parts[tensor.part].anatomy.quantization;
  return schemes.empty() ? "codes" : schemes.front();
}

}  // namespace

bool CodedTensors::Has(const TensorKey& key) const {
  return std::ranges::any_of(draft_->index.models(), [&](const ModelIndex& model) {
    return model.NotDecoded(key) != nullptr;
  });
}

std::vector<Want> CodedTensors::Add(const PlannedTensor& tensor, std::span<const Want> wants) {
  std::vector<Want> plain;
  for (const Want& want : wants) {
    const StoredWeight* weight = nullptr;
    for (const std::uint32_t model : want.origin.models) {
      if (weight == nullptr) weight = draft_->index.models()[model].NotDecoded(tensor.key);
    }
    // One that is copied with what belongs to it is done by the first of its keys.
    const bool planned =
        weight != nullptr && (weight->keys.front() != tensor.key || PlanWeight(tensor, want));
    if (!planned) plain.push_back(want);
  }
  return plain;
}

/// The codes that a source is; null for another.
const StoredWeight* CodedTensors::CodesOf(const TensorKey& key, const TapeSource& source) const {
  return source.delta ? nullptr : draft_->index.models()[source.model].NotDecoded(key);
}

/// Says no where the result has nothing of any codes.
bool CodedTensors::PlanWeight(const PlannedTensor& tensor, const Want& want) {
  TensorEvaluator evaluator = draft_->EvaluatorOf(tensor);
  const TensorValue result = evaluator.Evaluate(want.origin.node);
  draft_->account.Add(evaluator.account());
  if (!result.present) return true;
  const Lowering::Finished finished = evaluator.TakeLowering().Finish(std::array{result.value});
  const auto is_coded = [&](Register source) {
    return CodesOf(tensor.key, evaluator.sources()[source]) != nullptr;
  };
  if (std::ranges::none_of(finished.sources, is_coded)) return false;
  const Register value = finished.results.front().reg();
  const bool copy = value < finished.sources.size();
  if (!copy || draft_->SpecOf(want).dtype.Find(draft_->PlaceOf(tensor)).value_or(std::nullopt)) {
    Refuse(tensor.key, evaluator, finished.sources);
    return true;
  }
  const TapeSource& source = evaluator.sources()[finished.sources[value]];
  draft_->account.considered.insert(source.model);
  for (const TensorKey& key : CodesOf(tensor.key, source)->keys) {
    copied_->Copy(key, draft_->index.TensorOf(source.model, key).anatomy->canonical, source.model,
                  want);
  }
  return true;
}

void CodedTensors::Refuse(const TensorKey& key, const TensorEvaluator& evaluator,
                          std::span<const Register> sources) {
  for (const Register number : sources) {
    const TapeSource& source = evaluator.sources()[number];
    const StoredWeight* const weight = CodesOf(key, source);
    if (weight == nullptr) continue;
    const ModelIndex& model = draft_->index.models()[source.model];
    draft_->problems.AddQuantised(model.model().name, SchemeOf(model, key), InWords(*weight));
  }
}

}  // namespace weightsmith::internal
