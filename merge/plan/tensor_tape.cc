#include "merge/plan/tensor_tape.h"

namespace weightsmith::internal {

TensorTape::TensorTape(const ExpressionIndex& all, const TensorKey& tensor,
                       const std::string& canonical_name, const TensorPlace& at, Problems& found)
    : index(all),
      key(tensor),
      canonical(canonical_name),
      place(at),
      problems(found),
      sources(all, tensor),
      lowering(all.expression().policies.precision, static_cast<Register>(sources.all().size()),
               canonical_name) {}

bool TensorTape::AddQuantised(std::initializer_list<NodeId> operands) {
  for (const NodeId operand : operands) {
    const Node& node = NodeOf(operand);
    if (!node.leaf() || index.IsAdapter(node)) continue;
    const ModelIndex& model = index.models()[*node.model];
    const Anatomy& anatomy = model.anatomy();
    if (anatomy.quantization.empty()) continue;
    const StoredWeight* const weight = model.StoredWeightOf(key);
    problems.AddQuantised(node.name, anatomy.quantization.front(),
                          weight != nullptr ? InWords(*weight) : canonical);
    return true;
  }
  return false;
}

}  // namespace weightsmith::internal
