#include "merge/plan/step_account.h"

namespace weightsmith::internal {

void StepAccount::Add(const StepAccount& other) {
  considered.insert(other.considered.begin(), other.considered.end());
  spared.insert(other.spared.begin(), other.spared.end());
  computed.insert(other.computed.begin(), other.computed.end());
  concerned.insert(other.concerned.begin(), other.concerned.end());
  replaced.insert(other.replaced.begin(), other.replaced.end());
  shared.insert(other.shared.begin(), other.shared.end());
  left_vae.insert(other.left_vae.begin(), other.left_vae.end());
  for (const auto& [step, tensors] : other.kept) kept[step] += tensors;
  for (const auto& [step, tensors] : other.selected) selected[step] += tensors;
  muted.insert(other.muted.begin(), other.muted.end());
}

}  // namespace weightsmith::internal
