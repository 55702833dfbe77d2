// What is found of a plan as a whole: what its results are of the models, which keys went in, what
// in it is wrong or doubtful.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "merge/plan/expression_index.h"
#include "merge/plan/plan.h"
#include "merge/plan/planned_tensors.h"
#include "merge/plan/problems.h"

namespace weightsmith::internal {

/// Names the models whose moving averages the plan's tasks read.
void FindAverages(Plan& plan);

/// The result as a linear combination of the models and the averages, by component.
std::vector<ComponentCoefficients> FindCoefficients(const Plan& plan,
                                                    const std::vector<OutputTensor>& tensors);

/// Models that steps were to take something of.
struct ModelsMet {
  const std::set<std::uint32_t>& considered;      ///< whose weights were looked at
  const std::map<std::uint32_t, NodeId>& spared;  ///< that a step may have had no need of
};

/// Counts how the keys of each model went in, for the plan and its notes. Throws kNoEffect for a
/// model that matched nothing.
void CountModelKeys(Plan& plan, const ExpressionIndex& index,
                    const std::map<TensorKey, PlannedTensor>& tensors, const ModelsMet& met);

/// Warns of lists of block weights that average VAEs, a well-known mistake.
void WarnOfMergedVae(Plan& plan, const ExpressionIndex& index);

/// Finds models of a list that are the base which they are compared with, under another path.
void CheckBases(const Plan& plan, const ExpressionIndex& index, Problems& problems);

/// Checks the rows of everything that has values by place: weights, policies, dtypes.
void CheckRows(Plan& plan, const ExpressionIndex& index, std::span<const TensorPlace> places,
               Problems& problems);

}  // namespace weightsmith::internal
