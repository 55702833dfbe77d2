// Which tasks make a tensor of a plan's outputs.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/formats/safetensors/header.h"
#include "merge/plan/plan.h"

namespace weightsmith::internal {

struct IndexedTensor {
  std::uint32_t file = 0;  ///< index in Plan::output_files
  const SafetensorsEntry* entry = nullptr;
  std::vector<std::uint32_t> tasks{};  ///< ascending
};

class OutputIndex {
 public:
  /// Of outputs that have a name each, the first one has it. REQUIRES: the plan outlives this.
  explicit OutputIndex(const Plan& plan);

  /// Throws kMismatch where there is no such tensor, with the nearest name.
  const IndexedTensor& Find(const std::string& name) const;

 private:
  std::unordered_map<std::string, IndexedTensor> tensors_;
};

}  // namespace weightsmith::internal
