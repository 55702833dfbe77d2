#include "recipes/parser/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "core/base/text.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

/// The operand that others are compared with.
constexpr std::string_view kBase = "base";

/// An operand's slot and the node in it: what a message about kinds names.
struct OperandPlace {
  std::string name;
  Kind wanted = Kind::kSame;
  NodeId node = 0;
  SourcePlace place;
};

std::vector<OperandPlace> OperandPlacesOf(const DraftNode& draft) {
  std::vector<OperandPlace> slots;
  const Operator& op = *draft.node.op;
  for (std::size_t i = 0; i < op.operands.size() && i < draft.operands.size(); ++i) {
    const OperandReference& operand = draft.operands[i];
    if (!operand.node || operand.implied) continue;
    slots.push_back(
        {std::string(op.operands[i].name), op.operands[i].kind, *operand.node, operand.place});
  }
  for (std::size_t i = 0; i < draft.list.size(); ++i) {
    if (!draft.list[i].node) continue;
    slots.push_back({fmt::format("{}[{}]", op.list->name, i + 1), op.list->kind,
                     *draft.list[i].node, draft.list[i].place});
  }
  return slots;
}

bool IsStackOfLayers(const DraftNode& draft) {
  const Operator* const op = draft.node.op;
  return op != nullptr && op->list && op->list->layers;
}

bool LooksLikePath(std::string_view name) {
  return name.find('/') != std::string_view::npos || name.ends_with(".safetensors") ||
         name.ends_with(".ckpt") || name.ends_with(".pt") || name.ends_with(".sft");
}

/// Nobody named the step of a recipe that a program makes.
std::string StepInWords(const DraftNode& draft) {
  const bool generated = draft.place.source != nullptr && draft.place.source->generated;
  return generated ? std::string(draft.node.op->name) : "step " + Quote(draft.node.name);
}

std::string AdviceForKind(Kind wanted) {
  return wanted == Kind::kDelta ? "Make a difference of two models with op: subtract."
                                : "Add the difference to a model with op: add.";
}

}  // namespace

std::string_view DescribeKind(Kind kind) {
  return kind == Kind::kDelta ? "a delta (a difference)" : "a weight (a model)";
}

NodeId Graph::Add(DraftNode node) {
  nodes_.push_back(std::move(node));
  return static_cast<NodeId>(nodes_.size() - 1);
}

void Graph::Declare(const std::string& name, NodeId node, const SourcePlace& place) {
  const auto [known, added] = names_.emplace(name, std::pair(node, place));
  if (!added) {
    incomplete_ = true;
    diagnostics_.AddError(place,
                          fmt::format("{} is the name of {} in line {}", Quote(name),
                                      nodes_[known->second.first].top_level ? "a step" : "a model",
                                      known->second.second.line),
                          "Give this step another name: models, adapters and steps share one set "
                          "of names.");
  }
}

std::vector<std::string> Graph::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, node] : names_) names.push_back(name);
  return names;
}

std::optional<NodeId> Graph::Find(const std::string& name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return found->second.first;
}

std::optional<NodeId> Graph::Find(const OperandReference& reference, std::string_view what,
                                  Wanted wanted, std::string_view step, std::string_view advice) {
  if (reference.node) return reference.node;
  if (reference.name.empty()) return std::nullopt;  // reported when it was read
  if (const auto node = Find(reference.name)) return node;
  std::vector<std::string> names;
  for (const auto& [name, node] : names_) {
    const DraftNode& draft = nodes_[node.first];
    const bool model = draft.node.leaf() && draft.node.kind != Kind::kDelta;
    if (name != step && (wanted == Wanted::kModel || !model)) names.push_back(name);
  }
  const bool path = LooksLikePath(reference.name);
  const std::string hint = path ? std::string() : Hint(reference.name, names);
  if (incomplete_ && hint.empty() && !path) return std::nullopt;
  diagnostics_.AddError(reference.place,
                        fmt::format("{}: there is no {} {}{}", what,
                                    wanted == Wanted::kAdapter ? "adapter" : "model or step",
                                    Quote(reference.name), hint),
                        !hint.empty()            ? std::string()
                        : path || advice.empty() ? AdviceForName(reference, wanted, names)
                                                 : std::string(advice));
  return std::nullopt;
}

/// `names` are those that the operand could have.
std::string Graph::AdviceForName(const OperandReference& reference, Wanted wanted,
                                 const std::vector<std::string>& names) const {
  const bool adapter = wanted == Wanted::kAdapter;
  const std::string_view table = adapter ? "adapters" : "models";
  const std::string_view strength = reference.strength;
  if (LooksLikePath(reference.name)) {
    const std::string stem = std::filesystem::path(reference.name).stem().string();
    if (Find(stem)) {
      return adapter ? fmt::format("Write its name: \"{}{}\"", stem, strength)
                     : fmt::format("Write its name: {}", stem);
    }
    return fmt::format("Name the file under {0}, and write that name here: {0}: {{{1}: {2}}}{3}",
                       table, stem, reference.name,
                       adapter ? fmt::format(" and \"{}{}\"", stem, strength) : "");
  }
  constexpr std::size_t kShown = 40;
  std::string advice =
      fmt::format("Name its file under {0}: {0}: {{{1}: FILE.safetensors}}", table, reference.name);
  if (names.empty()) return advice;
  const bool more = names.size() > kShown;
  const std::span shown = std::span(names).first(std::min(names.size(), kShown));
  return advice +
         fmt::format(". Or write one of {}{}.", fmt::join(shown, ", "), more ? " and others" : "");
}

void Graph::LinkOperands(DraftNode& draft) {
  const auto link = [&](OperandReference& operand, std::string_view slot, Wanted wanted) {
    operand.node = Find(operand, fmt::format("step {}: '{}'", Quote(draft.node.name), slot), wanted,
                        draft.node.name);
  };
  if (draft.node.op == nullptr) return;
  for (std::size_t i = 0; i < draft.operands.size(); ++i) {
    OperandReference& operand = draft.operands[i];
    if (!operand.implied) {
      link(operand, draft.node.op->operands[i].name, Wanted::kModel);
      continue;
    }
    const bool first = draft.node.op->operands[i].left_out == OperandDefault::kFirst;
    const std::optional<OperandReference>& entry = first ? draft.first : draft.last;
    if (entry) operand.node = entry->node ? entry->node : Find(entry->name);
  }
  for (OperandReference& entry : draft.list) {
    link(entry, draft.node.op->list->name,
         draft.node.op->list->adapters ? Wanted::kAdapter : Wanted::kModel);
  }
}

void Graph::Link() {
  for (DraftNode& draft : nodes_) LinkOperands(draft);
  Sort();
  for (const NodeId id : order_) {
    if (nodes_[id].node.op == nullptr) continue;
    CheckKinds(nodes_[id]);
    CheckBase(nodes_[id]);
  }
  for (DraftNode& draft : nodes_) {
    for (const OperandReference& operand : draft.operands) {
      if (operand.node) draft.node.operands.push_back(*operand.node);
    }
    for (const OperandReference& entry : draft.list) {
      if (entry.node) draft.node.list.push_back(*entry.node);
    }
  }
}

void Graph::Sort() {
  std::vector<std::vector<NodeId>> users(nodes_.size());
  std::vector<std::size_t> waiting(nodes_.size(), 0);
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    for (const auto* operands : {&nodes_[id].operands, &nodes_[id].list}) {
      for (const OperandReference& operand : *operands) {
        if (!operand.node) continue;
        users[*operand.node].push_back(id);
        ++waiting[id];
      }
    }
  }
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (waiting[id] == 0) order_.push_back(id);
  }
  for (std::size_t i = 0; i < order_.size(); ++i) {
    for (const NodeId user : users[order_[i]]) {
      if (--waiting[user] == 0) order_.push_back(user);
    }
  }
  if (order_.size() == nodes_.size()) return;
  ReportCycle(waiting);
  order_.clear();
}

void Graph::ReportCycle(const std::vector<std::size_t>& waiting) {
  NodeId id = 0;
  while (waiting[id] == 0) ++id;
  // Every waiting node has a waiting operand: going from one to the next must come around.
  std::vector<NodeId> path;
  while (std::ranges::find(path, id) == path.end()) {
    path.push_back(id);
    for (const auto* operands : {&nodes_[id].operands, &nodes_[id].list}) {
      for (const OperandReference& operand : *operands) {
        if (operand.node && waiting[*operand.node] > 0) id = *operand.node;
      }
    }
  }
  path.erase(path.begin(), std::ranges::find(path, id));
  std::rotate(path.begin(), std::ranges::min_element(path), path.end());
  std::string words;
  for (const NodeId step : path) words += Quote(nodes_[step].node.name) + " needs ";
  words += Quote(nodes_[path.front()].node.name);
  diagnostics_.AddError(nodes_[path.front()].place, "steps form a cycle: " + words,
                        "Let one of them take a model, or another step.");
}

void Graph::CheckKinds(DraftNode& draft) {
  const std::string step = "step " + Quote(draft.node.name);
  const OperandPlace* same = nullptr;
  const std::vector<OperandPlace> slots = OperandPlacesOf(draft);
  for (const OperandPlace& slot : slots) {
    if (IsStackOfLayers(nodes_[slot.node]) && !IsStackOfLayers(draft)) {
      diagnostics_.AddError(
          slot.place,
          fmt::format("{}: '{}' is {}, a stack, whose layers have numbers of their own", step,
                      slot.name, Quote(nodes_[slot.node].node.name)),
          "Let the step act on the models that are stacked, or write the stack to a file and take "
          "that.");
    }
    const Kind kind = nodes_[slot.node].node.kind;
    const std::string operand = Quote(nodes_[slot.node].node.name);
    if (slot.wanted != Kind::kSame) {
      if (kind != slot.wanted) {
        diagnostics_.AddError(
            slot.place,
            fmt::format("{}: {} takes {} as '{}', but {} is {}", step, draft.node.op->name,
                        DescribeKind(slot.wanted), slot.name, operand, DescribeKind(kind)),
            AdviceForKind(slot.wanted));
      }
      continue;
    }
    if (same == nullptr) {
      same = &slot;
      continue;
    }
    const Kind first = nodes_[same->node].node.kind;
    if (kind == first) continue;
    diagnostics_.AddError(
        slot.place,
        fmt::format("{}: {} takes operands of one kind, but '{}' ({}) is {} and '{}' ({}) is {}",
                    step, draft.node.op->name, same->name, Quote(nodes_[same->node].node.name),
                    DescribeKind(first), slot.name, operand, DescribeKind(kind)),
        AdviceForKind(first));
  }
  const Kind result = draft.node.op->result;
  const Kind inherited = same == nullptr ? Kind::kWeight : nodes_[same->node].node.kind;
  draft.node.kind = result == Kind::kSame ? inherited : result;
}

/// What models are compared with is none of them: its difference to itself is 0.
void Graph::CheckBase(const DraftNode& draft) {
  const Operator& op = *draft.node.op;
  const auto spec = std::ranges::find(op.operands, kBase, &OperandSpec::name);
  const auto place = static_cast<std::size_t>(spec - op.operands.begin());
  if (place >= draft.operands.size() || !draft.operands[place].node) return;
  for (std::size_t i = 0; i < draft.list.size(); ++i) {
    const OperandReference& entry = draft.list[i];
    if (entry.node != draft.operands[place].node) continue;
    diagnostics_.AddError(
        entry.place,
        fmt::format("{}: '{}[{}]' is {}, as '{}' is: its difference to itself is 0",
                    StepInWords(draft), op.list->name, i + 1, Quote(nodes_[*entry.node].node.name),
                    kBase),
        fmt::format("Leave it out of '{}', or name another model.", op.list->name));
  }
}

std::vector<bool> Graph::Reachable(const std::vector<NodeId>& roots) const {
  std::vector<bool> reached(nodes_.size(), false);
  for (const NodeId root : roots) reached[root] = true;
  for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
    if (!reached[*id]) continue;
    for (const NodeId operand : nodes_[*id].node.operands) reached[operand] = true;
    for (const NodeId entry : nodes_[*id].node.list) reached[entry] = true;
  }
  return reached;
}

}  // namespace weightsmith::internal
