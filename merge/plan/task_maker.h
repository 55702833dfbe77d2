// Tasks of tensors: what each reads, and the program that it runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "merge/plan/evaluator.h"
#include "merge/plan/expression_index.h"
#include "merge/plan/plan.h"
#include "merge/plan/planned_tensors.h"

namespace weightsmith::internal {

class TaskMaker {
 public:
  /// REQUIRES: `index` outlives it. Files are those of all models and parts, in this order.
  explicit TaskMaker(const ExpressionIndex& index);

  /// What a finished program is for one tensor, without products.
  Task Make(const PlannedTensor& tensor, const TensorEvaluator& evaluator, const Shape& shape,
            Lowering::Finished&& finished) const;
  /// A task that copies what a model has.
  Task MakeCopy(const TensorKey& key, const std::string& canonical, std::uint32_t model) const;

 private:
  Source MakeSource(std::uint32_t model, const TensorKey& key, const Shape& shape) const;
  void AddSource(const PlannedTensor& tensor, const TensorEvaluator& evaluator, Register number,
                 Task& task) const;

  const ExpressionIndex* index_;
  std::vector<std::vector<std::uint32_t>> file_number_;  ///< by model and part: first of its files
};

}  // namespace weightsmith::internal
