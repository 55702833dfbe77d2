// What a module of an adapter does to a tensor of a model, and what becomes of the modules that do
// nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "merge/adapters/module_delta.h"

namespace weightsmith::internal {

/// Rows of an adapter's module, and the rows of the tensor that they are for.
struct PartRows {
  std::uint64_t their_row = 0;
  std::uint64_t our_row = 0;
  std::uint64_t rows = 0;

  bool operator==(const PartRows&) const = default;
};

/// What a module of an adapter does to a tensor.
struct AdapterPart {
  const AdapterModule* module = nullptr;  ///< of Plan::models' adapter
  AdapterTarget target = AdapterTarget::kWeight;
  std::vector<PartRows> rows;
  bool transposed = false;  ///< the module's matrix is the tensor's transposed
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
