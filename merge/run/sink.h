// Who takes what an engine computes.
#pragma once

#include <cstdint>

#include "merge/run/destination.h"
#include "merge/run/task_result.h"

namespace weightsmith::internal {

/// By itself it learns nothing. All but the destination is called by one thread at a time.
class Sink {
 public:
  /// Where the bytes go: files, memory; null: nowhere.
  explicit Sink(Destination* destination = nullptr) : destination_(destination) {}
  virtual ~Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  Destination* destination() const { return destination_; }

  /// Whether a task of the work set is still to be computed; asked when its turn has come.
  virtual bool Needs(std::uint32_t /*task*/) { return true; }
  /// What was learned of a task, after all its bytes have been written; in the order of the work
  /// set. Of a part of a task it is of that part.
  virtual void Take(std::uint32_t /*task*/, TaskResult&& /*result*/) {}

 private:
  Destination* destination_;
};

}  // namespace weightsmith::internal
