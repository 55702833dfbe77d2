#include "merge/plan/repeated_changes.h"

#include <algorithm>
#include <utility>

#include "core/formats/tensor_digest.h"

namespace weightsmith::internal {
namespace {

bool Overlap(const AdapterPart& a, const AdapterPart& b) {
  return std::ranges::any_of(a.rows, [&](const RowMap& x) {
    return std::ranges::any_of(b.rows, [&](const RowMap& y) { return ShareOurRows(x, y); });
  });
}

}  // namespace

RepeatedChanges::Found RepeatedChanges::TakeFrom(std::vector<AdapterPart>& parts) {
  Found found;
  if (parts.size() < 2) return found;
  std::vector<AdapterPart> kept;
  for (AdapterPart& part : parts) {
    const auto other = std::ranges::find_if(kept, [&](const AdapterPart& before) {
      return before.target == part.target && Overlap(before, part);
    });
    if (other == kept.end()) {
      kept.push_back(std::move(part));
    } else if (other->rows == part.rows && AreSame(*other->module, *part.module)) {
      found.same.push_back(part.module);
    } else if (++found.conflicts == 1) {
      found.first = other->module;
      found.second = part.module;
    }
  }
  parts = std::move(kept);
  return found;
}

bool RepeatedChanges::AreSame(const AdapterModule& a, const AdapterModule& b) {
  return a.shapes == b.shapes && a.scale == b.scale && DigestsOf(a) == DigestsOf(b);
}

/// Of a module's tensors, by role; each is read once, however many others it is compared with.
const std::vector<Digest>& RepeatedChanges::DigestsOf(const AdapterModule& module) {
  const auto [at, added] = digests_.try_emplace(&module);
  if (!added) return at->second;
  const Checkpoint& file = *model_.parts.front().checkpoint;
  for (const auto& [role, index] : module.tensors) {
    const CheckpointTensor& tensor = file.tensors()[index];
    at->second.push_back(DigestOf(file, tensor));
  }
  return at->second;
}

}  // namespace weightsmith::internal
