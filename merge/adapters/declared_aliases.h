// What the modules of an architecture are called in adapters, all its components and variants
// together, whether a file at hand has them or not.
#pragma once

#include <string_view>
#include <vector>

#include "merge/adapters/alias_table.h"

namespace weightsmith::internal {

class DeclaredAliases {
 public:
  /// `architecture` may be null: then of `rules` alone, the declarations of components that are
  /// known beside it.
  DeclaredAliases(const Architecture* architecture, std::vector<ComponentRule> rules);

  /// The first tensor that a module of that name changes; null where there is no such module.
  const AliasedTensor* Find(std::string_view stem) const;

 private:
  std::vector<AliasedTensor> tensors_;
  AliasTable aliases_;
};

}  // namespace weightsmith::internal
