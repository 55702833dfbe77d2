// What an expression is for one tensor: who has it, which weights hold at its place, and the tape
// that computes it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "merge/expression/expression.h"
#include "merge/plan/expression_index.h"
#include "merge/plan/plan.h"
#include "merge/plan/problems.h"
#include "merge/plan/tape_sources.h"
#include "merge/program/lowering.h"

namespace weightsmith::internal {

/// Evaluates nodes for one tensor into one tape.
class TensorEvaluator {
 public:
  struct Result {
    bool present = false;
    Value value = Value::Zero();
    Shape shape;
    bool needs_weight = false;  ///< an adapter's, which only baking can compute
  };

  /// A delta that depends on the value of a step's model.
  struct Baked {
    double strength = 1;
    bool scaled = false;  ///< the strength is in it
    bool replaces = false;
    std::optional<KeptIndex> weight;  ///< the value, where it is read
  };

  /// A tensor of another name that an operator reads.
  struct CompanionSource {
    std::uint32_t model = 0;
    TensorKey key;

    bool operator==(const CompanionSource&) const = default;
  };

  /// REQUIRES: all outlive the evaluator. `canonical` is the name that selectors and messages see;
  /// modules of adapters are numbered from `first_applied`.
  TensorEvaluator(const ExpressionIndex& index, const TensorKey& key, const std::string& canonical,
                  const TensorPlace& place, Problems& problems, std::size_t first_applied = 0);

  const Result& Evaluate(NodeId node);

  /// The sources of the tape.
  const std::vector<TapeSource>& sources() const { return sources_.all(); }
  /// What is read beside them, in the order of companions' indices.
  const std::vector<CompanionSource>& companions() const { return companions_; }
  /// Of sources that depend on a step.
  const std::map<Register, Baked>& baked() const { return baked_; }
  const std::vector<AppliedModule>& applied() const { return applied_; }
  /// Steps and adapters that they leave out, with a strength of 0.
  const std::set<std::pair<NodeId, std::uint32_t>>& muted() const { return muted_; }
  /// Models whose value was given to an operator, though it may have been folded away.
  const std::set<std::uint32_t>& considered() const { return considered_; }
  /// Likewise, of an operator that may have no need of it, and the step.
  const std::map<std::uint32_t, NodeId>& spared() const { return spared_; }
  /// Steps that computed the tensor.
  const std::set<NodeId>& computed() const { return computed_; }
  /// Those whose operator is for such a tensor.
  const std::set<NodeId>& concerned() const { return concerned_; }
  /// Steps whose result is another operand than the first, unchanged.
  const std::set<NodeId>& replaced() const { return replaced_; }
  /// Steps all of whose weight operands have the tensor.
  const std::set<NodeId>& shared() const { return shared_; }

  /// Steps that leave the tensor as it is, because an operand that has its component lacks it.
  const std::set<NodeId>& kept() const { return kept_; }
  /// Steps that act on what their `where` selects, and select the tensor.
  const std::set<NodeId>& selected() const { return selected_; }
  /// Steps that leave the tensor as it is, because it is of a VAE.
  const std::set<NodeId>& left_vae() const { return left_vae_; }

  Lowering&& TakeLowering() { return std::move(lowering_); }

 private:
  /// What a step's operands are. Some may have fewer input channels than the result.
  struct OperandValues {
    std::vector<Value> values;
    std::optional<Value> wide;  ///< the first that has all of them
    bool narrows = false;       ///< whether one has fewer
    std::uint64_t row = 0;      ///< elements of a row, where one has
    std::uint64_t shared = 0;   ///< elements of a row that all have, likewise
  };

  std::optional<Value> EmaOf(NodeId id, const Shape& shape);
  Result EvaluateLeaf(const Node& leaf);
  Result EvaluateStep(NodeId id);
  bool IsAdapter(const Node& node) const;
  /// Reports a model among them that is quantised; returns whether there is one.
  bool AddQuantised(std::initializer_list<NodeId> operands);
  Result Leftmost(const Node& step, std::span<const NodeId> operands);
  bool TouchesVae(NodeId step);
  bool Selects(const Node& step);
  bool IsComputed(NodeId operand);
  bool Fits(const Node& step, std::span<const NodeId> operands, Shape& widest);
  OperandValues ValuesOf(NodeId id, std::span<const NodeId> operands, const Shape& widest);
  std::optional<std::vector<double>> NumbersOf(const Node& step);
  std::optional<Value> LowerOperator(NodeId id, std::span<const NodeId> operands,
                                     std::span<const Value> values, std::span<const double> numbers,
                                     const Shape& shape);
  void WatchResult(NodeId id, std::span<const Value> values, Value after);
  Result Lower(NodeId id, std::span<const NodeId> operands, const Shape& widest);
  std::uint64_t HeadSizeOf(const Node& step, std::span<const NodeId> operands) const;
  std::vector<Companion> CompanionsOf(const Node& step, std::span<const NodeId> operands);
  bool MayHaveCompanions(const Node& step, std::span<const NodeId> operands);
  Result Bake(NodeId id, const Shape& widest);
  Value BakedDelta(NodeId step, std::uint32_t model, Value weight, double strength);
  void CheckParts(const Node& step, std::uint32_t model, const Shape& shape);
  void AddProbes(NodeId step, std::uint32_t model, double strength, const Shape& shape,
                 Value before, Value after);

  const ExpressionIndex* index_;
  const TensorKey* key_;
  const std::string* canonical_;
  TensorPlace place_;
  Problems* problems_;
  TapeSources sources_;
  Lowering lowering_;
  std::vector<CompanionSource> companions_;
  std::map<Register, Baked> baked_;
  std::vector<AppliedModule> applied_;
  std::set<std::pair<NodeId, std::uint32_t>> muted_;
  std::uint32_t first_applied_;
  std::map<NodeId, Result> results_;
  std::set<std::uint32_t> considered_;
  std::map<std::uint32_t, NodeId> spared_;
  std::set<NodeId> computed_;
  std::set<NodeId> concerned_;
  std::set<NodeId> replaced_;
  std::set<NodeId> shared_;
  std::set<NodeId> kept_;
  std::set<NodeId> selected_;
  std::set<NodeId> left_vae_;
};

}  // namespace weightsmith::internal
