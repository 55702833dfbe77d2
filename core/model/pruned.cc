#include "core/model/pruned.h"

#include <utility>
#include <vector>

namespace weightsmith::internal {

bool IsPrunable(const Anatomy& anatomy, const TensorAnatomy& tensor) {
  const ComponentAnatomy& component = anatomy.components[tensor.component];
  return component.kind == ComponentKind::kOther && tensor.role != Role::kMarker;
}

std::shared_ptr<const Checkpoint> Pruned(const Checkpoint& checkpoint, const Anatomy& anatomy) {
  std::vector<CheckpointTensor> kept;
  for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
    if (!IsPrunable(anatomy, anatomy.tensors[i])) kept.push_back(checkpoint.tensors()[i]);
  }
  return checkpoint.View(std::move(kept), checkpoint.layout());
}

}  // namespace weightsmith::internal
