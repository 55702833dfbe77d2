#include "merge/run/results.h"

#include <utility>

namespace weightsmith::internal {

Results::Results(const Plan& plan, Destination* destination, Journal* journal)
    : Sink(destination),
      plan_(&plan),
      journal_(journal),
      results_(plan.tasks.size()),
      left_(plan.tasks.size()) {
  if (journal == nullptr) return;
  for (const FinishedTask& finished : journal->finished()) Put(finished.task, finished.result);
}

void Results::Take(std::uint32_t task, TaskResult&& result) {
  if (journal_ != nullptr) journal_->Append(task, result);
  Put(task, std::move(result));
}

void Results::Put(std::uint32_t task, TaskResult result) {
  results_[task] = std::move(result);
  --left_;
}

std::uint64_t Results::bytes_written() const {
  std::uint64_t bytes = 0;
  for (const auto& result : results_) bytes += result ? result->bytes_written : 0;
  return bytes;
}

std::vector<TaskResult> Results::All() && {
  std::vector<TaskResult> all;
  all.reserve(results_.size());
  for (std::size_t t = 0; t < results_.size(); ++t) {
    TaskResult& result = all.emplace_back();
    if (results_[t]) {
      result = *std::move(results_[t]);
    } else {
      result.effects.resize(plan_->tasks[t].tape.probes.size());
      result.found.resize(plan_->tasks[t].findings.list.size());
    }
  }
  return all;
}

}  // namespace weightsmith::internal
