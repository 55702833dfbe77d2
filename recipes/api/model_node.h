// What a weightsmith::Model holds: where it comes from, and its plan once that was asked for.
#pragma once

#include <weightsmith/model.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/formats/checkpoint.h"
#include "merge/operator.h"
#include "recipes/jobs/prepared_plan.h"

namespace weightsmith::internal {

/// Of a step: its operator, and what it is given.
struct ModelStep {
  const Operator* op = nullptr;  ///< never null
  std::vector<weightsmith::Model> operands;
  std::vector<weightsmith::Entry> list;
  weightsmith::Parameters parameters;
  weightsmith::Policies policies;
};

/// Never null where it is a checkpoint.
using ModelSource =
    std::variant<std::shared_ptr<const Checkpoint>, weightsmith::Adapter, ModelStep>;

/// A model to be looked at, or computed in memory.
struct PlannedSource {
  explicit PlannedSource(PreparedPlan made);

  PreparedPlan prepared;
  std::vector<std::string> names;  ///< sorted
};

struct ModelNode {
  ModelNode(std::shared_ptr<const ModelSource> from, weightsmith::Policies under)
      : source(std::move(from)), policies(std::move(under)) {}

  std::shared_ptr<const ModelSource> source;
  weightsmith::Policies policies;  ///< of the whole
  mutable std::mutex mutex;        ///< of what follows
  mutable std::optional<PlannedSource> planned;
};

}  // namespace weightsmith::internal
