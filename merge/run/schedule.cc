#include "merge/run/schedule.h"

#include <algorithm>
#include <utility>

namespace weightsmith::internal {

Schedule::Schedule(const Plan& plan, const WorkSet& work, std::uint64_t state_bytes,
                   std::function<bool(std::uint32_t)> needed)
    : plan_(&plan), work_(&work), state_bytes_(state_bytes), needed_(std::move(needed)) {}

std::optional<WorkItem> Schedule::Next() {
  for (OpenTask& open : open_) {
    if (auto item = Give(open)) return item;
  }
  while (OpenNext()) {
    if (auto item = Give(open_.back())) return item;
  }
  return std::nullopt;
}

/// False where nothing is left to open, or its state finds no room now.
bool Schedule::OpenNext() {
  while (next_ < work_->size() && !needed_((*work_)[next_].task)) ++next_;
  if (next_ == work_->size()) return false;
  const TaskWork& work = (*work_)[next_];
  const Task& task = plan_->tasks[work.task];
  const std::uint64_t bytes = StateBytes(task);
  if (state_used_ > 0 && bytes > 0 && state_used_ + bytes > state_bytes_) return false;
  OpenTask& open = open_.emplace_back();
  open.work = work;
  open.place = next_;
  open.chunks = work.only ? 1 : ChunkCount(task);
  open.results.resize(open.chunks);
  if (!task.passes.empty()) {
    state_used_ += bytes;
    open.between = OpenTask::Between::kWaits;
  }
  ++next_;
  return true;
}

std::optional<WorkItem> Schedule::Give(OpenTask& open) const {
  if (open.between == OpenTask::Between::kWaits) {
    open.between = OpenTask::Between::kGiven;
    return WorkItem{
        .chunk = {open.work.task, 0, 0}, .place = open.place, .state = open.state, .between = true};
  }
  if (open.between == OpenTask::Between::kGiven || open.given == open.chunks) return std::nullopt;
  const std::uint64_t index = open.given++;
  const Chunk chunk = open.work.only ? *open.work.only : ChunkOf(*plan_, open.work.task, index);
  return WorkItem{.chunk = chunk, .index = index, .place = open.place, .state = open.state};
}

void Schedule::Done(const WorkItem& item, ChunkResult&& result) {
  OpenTask& open = *std::ranges::find(open_, item.place, &OpenTask::place);
  if (item.between) {
    open.state = item.state;
    open.between = OpenTask::Between::kDone;
    open.given = open.done = 0;
    // A task of a survey stores nothing: what it gathered is its result.
    if (!open.state->storing() || !open.state->task().surveyed) return;
    open.results.clear();
    open.results.push_back(std::move(result));
    open.chunks = open.given = open.done = 1;
    Leave(open);
    return;
  }
  open.results[item.index] = std::move(result);
  if (++open.done < open.chunks || open.state == nullptr) return;
  if (!open.state->storing()) {
    open.between = OpenTask::Between::kWaits;
    return;
  }
  Leave(open);
}

/// The state is not needed any more.
void Schedule::Leave(OpenTask& open) {
  state_used_ -= StateBytes(open.state->task());
  open.state = nullptr;
}

void Schedule::TakeComplete(
    const std::function<void(std::uint32_t, std::span<const ChunkResult>)>& take) {
  while (!open_.empty()) {
    OpenTask& open = open_.front();
    const bool stored = open.between == OpenTask::Between::kDone && open.done == open.chunks;
    if (!stored) return;
    take(open.work.task, open.results);
    open_.pop_front();
  }
}

}  // namespace weightsmith::internal
