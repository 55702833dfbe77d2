// What the outputs store of the values of one task, before its program is finished.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "merge/plan/output_dtypes.h"
#include "merge/plan/plan_draft.h"
#include "merge/program/lowering.h"

namespace weightsmith::internal {

class ProductDraft {
 public:
  /// Of a tensor that the evaluator evaluated. REQUIRES: all outlive it.
  ProductDraft(const PlanDraft& draft, const OutputDTypes& dtypes, const PlannedTensor& tensor,
               const TensorEvaluator& evaluator, const Shape& shape)
      : draft_(&draft), dtypes_(&dtypes), tensor_(&tensor), evaluator_(&evaluator), shape_(shape) {}

  /// The product that an output stores of a value. Where it has scales, the value over them is
  /// computed as well.
  void Add(const Want& want, Value value, Lowering& lowering);

  /// What the program has to compute: of each product one value, or two where it has scales.
  std::span<const Value> values() const { return values_; }
  /// The scales, in order.
  std::span<const Scalar> slots() const { return slots_; }

  /// The products with the registers and slots that the finished program has for those.
  std::vector<Product> Finish(std::span<const Value> values, std::span<const Slot> slots) &&;

 private:
  Product MakeProduct(const Want& want, Value value, const StoredAs& storage) const;
  std::optional<Grid> CellsOfProduct(const Product& product, const ModelTensor& leading) const;

  const PlanDraft* draft_;
  const OutputDTypes* dtypes_;
  const PlannedTensor* tensor_;
  const TensorEvaluator* evaluator_;
  Shape shape_;
  std::vector<Product> products_;
  std::vector<Value> values_;
  std::vector<Scalar> slots_;
};

}  // namespace weightsmith::internal
