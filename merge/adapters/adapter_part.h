// What a module of an adapter does to a tensor of a model, and what becomes of the modules that do
// nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/row_map.h"
#include "merge/adapters/module_delta.h"

namespace weightsmith::internal {

/// What a module of an adapter does to a tensor.
struct AdapterPart {
  const AdapterModule* module = nullptr;  ///< of Plan::models' adapter
  AdapterTarget target = AdapterTarget::kWeight;
  std::vector<RowMap> rows;  ///< counted; in the order of the module
  bool transposed = false;   ///< the module's matrix is the tensor's transposed
};

/// What became of an adapter's tensors, but for those that are applied.
struct AdapterClasses {
  struct Group {
    std::string why;                 ///< the component, the reason
    std::vector<std::string> stems;  ///< of modules, or names of tensors
  };
  std::vector<Group> elsewhere;
  std::vector<Group> ignored;
  std::vector<Group> unmatched;  ///< that were allowed
  std::uint64_t applied = 0;     ///< modules
};

}  // namespace weightsmith::internal
