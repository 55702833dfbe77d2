// Which of several models keep an element, where they are drawn together: a set of them at a time.
#pragma once

#include <cstddef>
#include <vector>

#include "merge/program/lowering.h"

namespace weightsmith::internal {

struct SetChances {
  double probability = 0;  ///< that no model keeps the element
  double overlap = 0;      ///< 0: one model alone; 0.5: any set alike; towards 1: all of them
  double emphasis = 0;     ///< how much sets are those of independent draws
};

/// 1 where a model keeps the element, else 0, by `drawn` from 0 to 1: the sets stand one after
/// another on that line, that of none behind the others. REQUIRES: an overlap below 1, and few
/// models: all their sets are looked at.
std::vector<Value> KeptTogether(Lowering& tape, std::size_t models, const SetChances& sets,
                                Value drawn);

}  // namespace weightsmith::internal
