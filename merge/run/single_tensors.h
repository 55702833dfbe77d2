// Tensors of a plan's outputs, one at a time: what each is made of is looked up, so that computing
// all of them one by one takes time in proportion to their number.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/formats/checkpoint.h"
#include "merge/plan/plan.h"

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
  struct Made {
    std::uint32_t file = 0;  ///< index in Plan::output_files
    SafetensorsEntry entry;
    std::vector<std::uint32_t> tasks;  ///< ascending
  };

  void MakeIndex();
  const Made& Find(const std::string& name) const;
  std::unique_ptr<Plan> TakePlan();
  void GiveBack(std::unique_ptr<Plan> plan);

  const Plan* plan_;
  std::once_flag indexed_;
  std::unordered_map<std::string, Made> made_;
  std::mutex mutex_;  ///< of what follows
  /// Copies of all of the plan but its tasks and tensors, for the threads that compute at a time.
  std::vector<std::unique_ptr<Plan>> spare_;
};

}  // namespace weightsmith::internal
