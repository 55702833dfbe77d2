// Changes that an adapter has more than once: a file may hold the same one under the names of two
// trainers, and it counts once. Two different ones for the same rows are an error.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "core/io/hash.h"
#include "merge/adapters/adapter_part.h"
#include "merge/expression/expression.h"

namespace weightsmith::internal {

class RepeatedChanges {
 public:
  /// `model` is the adapter.
  explicit RepeatedChanges(const Model& model) : model_(model) {}

  struct Found {
    std::vector<const AdapterModule*> same;  ///< that another part does already
    std::size_t conflicts = 0;               ///< parts that do something else to the same rows
    const AdapterModule* first = nullptr;    ///< of the first conflict
    const AdapterModule* second = nullptr;
  };

  /// Leaves the first of the parts for each row of a tensor. Reads modules that may be the same.
  Found TakeFrom(std::vector<AdapterPart>& parts);

 private:
  bool AreSame(const AdapterModule& a, const AdapterModule& b);
  const std::vector<Digest>& DigestsOf(const AdapterModule& module);

  const Model& model_;
  std::map<const AdapterModule*, std::vector<Digest>> digests_;
};

}  // namespace weightsmith::internal
