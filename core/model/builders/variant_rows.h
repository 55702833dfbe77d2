// The rows of an architecture whose variants are a table.
#pragma once

#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

/// `row(variant, scale)` of every variant at every scale; full ones first.
template <class Variants, class RowOfVariant>
std::vector<ArchitectureRow> RowsOf(const Variants& variants, const RowOfVariant& row) {
  std::vector<ArchitectureRow> rows;
  for (const Scale scale : {Scale::kFull, Scale::kTiny}) {
    for (const auto& variant : variants) rows.push_back(row(variant, scale));
  }
  return rows;
}

}  // namespace weightsmith::internal
