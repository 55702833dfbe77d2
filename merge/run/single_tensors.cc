#include "merge/run/single_tensors.h"

#include <utility>

#include "merge/run/memory_destination.h"

namespace weightsmith::internal {

std::shared_ptr<const Checkpoint> SingleTensors::Compute(
    const std::string& name, const std::function<void()>& before_chunk) {
  std::call_once(opened_, [this] {
    index_.emplace(*plan_);
    engine_.emplace(*plan_);
  });
  const IndexedTensor& tensor = index_->Find(name);
  const WorkSet work = WholeTasks(tensor.tasks);
  MemoryDestination destination(*plan_, tensor.file, *tensor.entry);
  Sink sink(&destination);
  const auto go_on = [&](const Progress& /*progress*/) {
    before_chunk();
    return true;
  };
  before_chunk();
  engine_->Compute(work, sink, {.digests = false, .effects = false, .progress = go_on});
  engine_->ExpectInputsUnchanged(work);
  return std::move(destination).Take();
}

}  // namespace weightsmith::internal
