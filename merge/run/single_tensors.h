// Tensors of a plan's outputs, one at a time, by one engine: computing all of them one by one takes
// time in proportion to their number.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/formats/checkpoint.h"
#include "merge/plan/plan.h"
#include "merge/run/engine.h"
#include "merge/run/output_index.h"

namespace weightsmith::internal {

/// Any thread.
class SingleTensors {
 public:
  /// REQUIRES: `plan` outlives this.
  explicit SingleTensors(const Plan& plan) : plan_(&plan) {}

  /// The tensor that RunInMemory gives under this name, computed on the calling thread. Whether a
  /// step has an effect is a question about all tensors and is not asked. `before_chunk` is called
  /// every few MB; an exception of it stops the computation. Throws kMismatch where there is no
  /// such tensor, else as Run does.
  std::shared_ptr<const Checkpoint> Compute(const std::string& name,
                                            const std::function<void()>& before_chunk);

 private:
  const Plan* plan_;
  std::once_flag opened_;
  std::optional<OutputIndex> index_;  ///< from the first tensor on, as the engine
  std::optional<Engine> engine_;
};

}  // namespace weightsmith::internal
