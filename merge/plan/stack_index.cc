#include "merge/plan/stack_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "core/model/blocks.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kEmbedOperand = 0;
constexpr std::size_t kHeadOperand = 1;
/// Stacks of stacks grow fast.
constexpr std::size_t kMostLayers = 9999;

Block PlaceOf(const TensorKey& key, const ModelTensor& tensor) {
  return BlockOf(tensor.component->kind, key.tensor);
}

/// What is not a stack: of a stack, what gives that operand of it.
NodeId EndOf(const ExpressionIndex& index, NodeId node, std::size_t operand) {
  const std::vector<Node>& nodes = index.expression().nodes;
  while (IsStack(nodes[node])) node = nodes[node].operands[operand];
  return node;
}

/// How many layers a node has, whose leftmost model says it.
std::uint32_t CountLayers(const ExpressionIndex& index, NodeId node) {
  std::uint32_t count = 0;
  for (const std::uint32_t model : index.WeightModels(node)) {
    for (const auto& [key, tensor] : index.models()[model].tensors()) {
      if (const auto layer = LayerOf(tensor.component->kind, key)) {
        count = std::max(count, *layer + 1);
      }
    }
    if (count > 0) return count;
  }
  return count;
}

/// Columns of the embedding; nothing where there is none.
std::optional<std::uint64_t> WidthOf(const ExpressionIndex& index, NodeId node) {
  for (const std::uint32_t model : index.WeightModels(node)) {
    for (const auto& [key, tensor] : index.models()[model].tensors()) {
      const Shape& shape = tensor.stored->info.shape;
      const bool embedding = shape.size() == 2 && PlaceOf(key, tensor).family == "embed" &&
                             !LayerOf(tensor.component->kind, key);
      if (embedding) return shape[1];
    }
  }
  return std::nullopt;
}

/// "layers 0-31", "layer 0".
std::string InWords(std::uint32_t first, std::uint32_t last) {
  return first == last ? fmt::format("layer {}", first) : fmt::format("layers {}-{}", first, last);
}

void CheckWidths(const ExpressionIndex& index, const Node& stack, Problems& problems) {
  const std::vector<Node>& nodes = index.expression().nodes;
  std::optional<NodeId> first;
  std::optional<std::uint64_t> width;
  const auto check = [&](NodeId node) {
    const std::optional<std::uint64_t> own = WidthOf(index, node);
    if (!own || own == width) return;
    if (width) {
      problems.AddSentence(
          fmt::format("step '{}': layers of different widths do not stack: '{}' is {} wide and "
                      "'{}' {}",
                      stack.name, nodes[*first].name, *width, nodes[node].name, *own),
          "Stack layers of models of one width.");
      return;
    }
    first = node;
    width = own;
  };
  for (const NodeId entry : stack.list) check(entry);
  for (const NodeId operand : stack.operands) check(operand);
}

}  // namespace

bool IsStack(const Node& node) {
  return node.op != nullptr && node.op->list && node.op->list->layers;
}

std::optional<std::uint32_t> LayerOf(ComponentKind kind, const TensorKey& key) {
  if (kind != ComponentKind::kBackbone && kind != ComponentKind::kOther) return std::nullopt;
  const Block block = BlockOf(kind, key.tensor);
  return block.family == "layer" ? block.index : std::nullopt;
}

StackIndex::StackIndex(const ExpressionIndex& index, NodeId stack, Problems& problems)
    : embed_(EndOf(index, stack, kEmbedOperand)), head_(EndOf(index, stack, kHeadOperand)) {
  layers_ = LayersOf(index, stack, problems);
}

const std::vector<StackIndex::Layer>& StackIndex::LayersOf(const ExpressionIndex& index,
                                                           NodeId node, Problems& problems) {
  if (const auto known = known_.find(node); known != known_.end()) return known->second;
  std::vector<Layer> layers;
  if (IsStack(index.expression().nodes[node])) {
    layers = Stacked(index, node, problems);
  } else {
    layers.resize(CountLayers(index, node));
    for (std::uint32_t i = 0; i < layers.size(); ++i) layers[i] = {node, i};
  }
  return known_[node] = std::move(layers);
}

std::vector<StackIndex::Layer> StackIndex::Stacked(const ExpressionIndex& index, NodeId stack,
                                                   Problems& problems) {
  const std::vector<Node>& nodes = index.expression().nodes;
  const Node& step = nodes[stack];
  std::vector<Layer> stacked;
  for (std::size_t i = 0; i < step.list.size(); ++i) {
    const std::vector<Layer>& own = LayersOf(index, step.list[i], problems);
    const std::string what =
        fmt::format("step '{}': '{}[{}]'", step.name, step.op->list->name, i + 1);
    const std::string& model = nodes[step.list[i]].name;
    if (own.empty()) {
      problems.AddSentence(fmt::format("{}: '{}' has no layers", what, model),
                           "A stack is of models with numbered layers, such as language models.");
      continue;
    }
    const auto count = static_cast<std::uint32_t>(own.size());
    const LayerRange range = step.layers[i].value_or(LayerRange{0, count - 1});
    if (range.last >= count) {
      problems.AddSentence(
          fmt::format("{} takes {}, and '{}' has {}", what, InWords(range.first, range.last), model,
                      InWords(0, count - 1)),
          "Layers are counted from 0, and both ends of a range are taken.");
      continue;
    }
    stacked.insert(stacked.end(), own.begin() + range.first, own.begin() + range.last + 1);
    if (stacked.size() <= kMostLayers) continue;
    problems.AddSentence(
        fmt::format("{}: a stack has at most {} layers", what, FormatCount(kMostLayers)), "");
    break;
  }
  CheckWidths(index, step, problems);
  return stacked;
}

std::vector<StackIndex::Use> StackIndex::UsesOf(ComponentKind kind, const TensorKey& key) const {
  const std::optional<std::uint32_t> number = LayerOf(kind, key);
  if (!number) {
    const std::string_view family = BlockOf(kind, key.tensor).family;
    return {{family == "final" || family == "head" ? head_ : embed_, std::nullopt}};
  }
  std::vector<Use> uses;
  for (std::uint32_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].number == *number) uses.push_back({layers_[i].node, i});
  }
  return uses;
}

}  // namespace weightsmith::internal
