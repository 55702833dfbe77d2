// The models and steps of a recipe while it is read: nodes that name their operands, then, linked,
// nodes in an order in which operands precede their users.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "merge/expression/expression.h"
#include "recipes/diagnostic.h"

namespace weightsmith::internal {

/// An operand as it was written: a name that is looked up when all are known, or an inline step.
struct OperandReference {
  std::string name;
  std::optional<NodeId> node;
  SourcePlace place;
  std::string strength{};  ///< of an adapter, as it was written behind the name: ":0.6"
  bool implied = false;    ///< left out: it is that of an entry of the list
};

struct DraftNode {
  Node node;
  SourcePlace place;
  std::vector<OperandReference> operands;  ///< parallel to op->operands
  std::vector<OperandReference> list;
  /// What is taken of the list's first and last entry for operands that are left out.
  std::optional<OperandReference> first;
  std::optional<OperandReference> last;
  std::map<std::string, SourcePlace> rows;  ///< keys of parameters
  bool top_level = false;                   ///< a named step of the recipe, not an inline one
  bool included = false;                    ///< a model from a table that is included
};

class Graph {
 public:
  explicit Graph(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  NodeId Add(DraftNode node);
  /// Makes a name known; models and steps share one namespace.
  void Declare(const std::string& name, NodeId node, const SourcePlace& place);

  DraftNode& at(NodeId id) { return nodes_[id]; }
  const std::vector<DraftNode>& nodes() const { return nodes_; }
  std::vector<std::string> Names() const;

  /// What an operand may be, for the advice where there is no such name.
  enum class Wanted { kModel, kAdapter };
  /// The node that an operand means; nothing after telling that there is none. `step` is the one
  /// that takes it, `advice` what helps where no name is near, if that is known.
  std::optional<NodeId> Find(const OperandReference& reference, std::string_view what,
                             Wanted wanted = Wanted::kModel, std::string_view step = {},
                             std::string_view advice = {});
  std::optional<NodeId> Find(const std::string& name) const;
  /// Models or steps could not be read, which is reported: of a name that is not there, nothing
  /// further is said.
  void SetIncomplete() { incomplete_ = true; }
  bool incomplete() const { return incomplete_; }

  /// Looks up every operand, refuses cycles, and gives every node its kind.
  void Link();
  /// The nodes, operands first; empty where Link found a cycle.
  const std::vector<NodeId>& order() const { return order_; }
  /// Every node that the roots need, themselves included.
  std::vector<bool> Reachable(const std::vector<NodeId>& roots) const;

 private:
  void LinkOperands(DraftNode& draft);
  std::string AdviceForName(const OperandReference& reference, Wanted wanted,
                            const std::vector<std::string>& names) const;
  void Sort();
  void ReportCycle(const std::vector<std::size_t>& waiting);
  void CheckKinds(DraftNode& draft);
  void CheckBase(const DraftNode& draft);

  Diagnostics& diagnostics_;
  std::vector<DraftNode> nodes_;
  std::map<std::string, std::pair<NodeId, SourcePlace>> names_;
  std::vector<NodeId> order_;
  bool incomplete_ = false;
};

/// "a weight (a model)", "a delta (a difference)".
std::string_view DescribeKind(Kind kind);

}  // namespace weightsmith::internal
