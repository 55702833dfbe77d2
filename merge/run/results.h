// What a run learned, task by task, with what an earlier one has learned before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "merge/plan/plan.h"
#include "merge/run/journal.h"
#include "merge/run/sink.h"

namespace weightsmith::internal {

class Results final : public Sink {
 public:
  /// Tasks that the journal has are not computed again, and others are added to it; null: none.
  /// REQUIRES: what is given outlives this.
  explicit Results(const Plan& plan, Destination* destination = nullptr,
                   Journal* journal = nullptr);

  bool Needs(std::uint32_t task) override { return !results_[task].has_value(); }
  void Take(std::uint32_t task, TaskResult&& result) override;

  /// Tasks of the plan that no run has computed.
  std::size_t left() const { return left_; }
  /// Bytes of the others.
  std::uint64_t bytes_written() const;
  /// By task of the plan; of those that are left, with effects that changed nothing.
  std::vector<TaskResult> All() &&;

 private:
  void Put(std::uint32_t task, TaskResult result);

  const Plan* plan_;
  Journal* journal_;
  std::vector<std::optional<TaskResult>> results_;
  std::size_t left_;
};

}  // namespace weightsmith::internal
