// How a plan is made: the tensors of each output, the tasks that compute them, the files that they
// go into. Private to merge/plan.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "merge/plan/evaluator.h"
#include "merge/plan/model_index.h"
#include "merge/plan/place_table.h"
#include "merge/plan/plan.h"
#include "merge/plan/planned_tensors.h"
#include "merge/plan/problems.h"
#include "merge/plan/stack_index.h"

namespace weightsmith::internal {

/// In the order in which their first sources lie in files.
void SortBySource(std::vector<Task>& tasks);

/// What an output takes a tensor from.
struct Origin {
  NodeId node = 0;
  std::vector<std::uint32_t> models;  ///< weight models that have the tensor, leftmost first
  /// Of a stack's layer: the number that it has in the output.
  std::optional<std::uint32_t> layer{};
};

/// An output that has a tensor, once for each place where it has it.
struct Want {
  std::uint32_t output = 0;
  Origin origin;
};

/// Makes a plan, step by step; its tasks in planner_tasks.cc, what outputs store of them in
/// planner_products.cc, what stacks are in planner_stacks.cc.
class Planner {
 public:
  Planner(const Expression& expression, std::vector<OutputSpec> outputs);
  Plan Make() &&;

 private:
  /// What an output wants of a task.
  struct Wanted {
    Want want;
    Value value;
  };
  /// The products of a task before its program is finished.
  struct Drafted {
    std::vector<Product> products;
    std::vector<Value> values;  ///< of each product one, or two where it has scales
    std::vector<Scalar> slots;  ///< of the scales, in order
  };

  static std::vector<NodeId> Roots(const std::vector<OutputSpec>& outputs);
  const ModelTensor& Of(std::uint32_t model, const TensorKey& key) const {
    return *index_.models()[model].Find(key);
  }
  NodeId NodeFor(const OutputSpec& spec, const std::string& component) const;
  std::optional<Origin> OriginIn(NodeId node, const TensorKey& key) const;
  std::vector<Origin> OriginsOf(const OutputSpec& spec, const TensorKey& key) const;
  std::vector<Want> WantsOf(const TensorKey& key) const;
  void CollectStacks();
  void AddPlacesOfStacks(std::vector<TensorPlace>& places) const;
  void AdjustConfiguration(std::uint32_t output);
  void CollectLacking();
  void NoteLacking();
  void CollectTensors();
  void CollectFrom(NodeId node, const OutputSpec& spec);
  void CheckComponents();
  std::vector<TensorPlace> PlacesOfWeights() const;
  void PlanTensor(const TensorKey& key, const PlannedTensor& tensor);
  void PlanStored(const TensorKey& key, const PlannedTensor& tensor);
  bool CopyStored(const TensorKey& key, const PlannedTensor& tensor, const Want& want);
  void CopyWeight(const StoredWeight& weight, std::uint32_t model, const Want& want);
  void PlanPlain(const TensorKey& key, const PlannedTensor& tensor, std::span<const Want> wants);
  void PlanCopies(const TensorKey& key, const PlannedTensor& tensor, std::span<const Want> wants);
  void PlanComputed(const TensorKey& key, const PlannedTensor& tensor, std::span<const Want> wants);
  void Remember(const TensorEvaluator& evaluator);
  void CountIntegers(const TensorKey& key, const PlannedTensor& tensor);
  Drafted DraftProducts(const TensorKey& key, const PlannedTensor& tensor,
                        const TensorEvaluator& evaluator, const Shape& shape,
                        std::span<const Wanted> wanted, Lowering& lowering) const;
  void AddTask(const TensorKey& key, const PlannedTensor& tensor, TensorEvaluator& evaluator,
               std::span<const Want> wants);
  Source MakeSource(std::uint32_t model, const TensorKey& key, const Shape& shape) const;
  bool IsOneComponent(const OutputSpec& spec) const;
  void AddCopy(const TensorKey& key, const std::string& canonical, std::uint32_t model,
               const Want& want);
  void AddOutputTensor(const Want& want, const TensorKey& key, const std::string& canonical,
                       DType dtype, const Shape& shape, std::uint32_t task, std::uint32_t product);
  TensorKey KeyOf(const TapeSource& source, const TensorKey& key) const;
  Task MakeTask(const TensorKey& key, const PlannedTensor& tensor, const TensorEvaluator& evaluator,
                const Shape& shape, Lowering::Finished&& finished) const;
  void AddSurveys(const TensorKey& key, const PlannedTensor& tensor,
                  const TensorEvaluator& evaluator, const Lowering& lowering, const Task& task);
  void MakeSurveys();
  void AddSource(const TensorKey& key, const TensorEvaluator& evaluator, Register number,
                 Task& task) const;
  bool Refused(const Task& task);
  StoredAs StorageOf(const TensorKey& key, const PlannedTensor& tensor, const Want& want) const;
  Product PlanProduct(const TensorKey& key, const PlannedTensor& tensor,
                      const TensorEvaluator& evaluator, Value value, const Shape& shape,
                      const Want& want) const;
  std::optional<Grid> CellsOfProduct(const TensorKey& key, const Product& product,
                                     const Shape& shape, std::uint32_t leading) const;
  bool KeepsScaled(std::uint32_t output, std::uint32_t model);
  void PlanScale(const TensorKey& key, const PlannedTensor& tensor, const Want& want,
                 std::uint32_t number, std::uint32_t product);
  void AddScales(const TensorKey& key, const Encoding& encoding, const Want& want,
                 std::uint32_t number, std::uint32_t product);
  void CheckSelections();
  void NoteSelections();
  void CheckConcern(const StepPlan& step, const Node& node) const;
  bool IsSelectedFrom(NodeId node) const;
  void CheckSteps();
  void CheckAdapters(const Node& step, NodeId id,
                     const std::set<std::pair<std::uint32_t, std::uint32_t>>& applied);

  Problems problems_;  // before index_, which adds to it
  ExpressionIndex index_;
  PlaceTable places_;
  std::map<NodeId, StackIndex> stacks_;  ///< of outputs
  Plan plan_;
  std::map<TensorKey, PlannedTensor> tensors_;
  std::vector<std::vector<OutputTensor>> output_tensors_;
  std::vector<bool> one_component_;                                       ///< by output
  std::map<std::pair<std::uint32_t, std::uint32_t>, bool> keeps_scaled_;  ///< by output and model
  std::set<std::pair<std::uint32_t, std::string>> marked_;  ///< outputs and canonical markers
  std::vector<std::vector<std::uint32_t>> file_number_;  ///< by model and part: first of its files
  std::set<TensorKey> lacking_;  ///< that the naming of diffusers does not have
  std::map<std::uint32_t, std::map<std::string, Task>> surveyed_;  ///< by step of the plan
  std::set<NodeId> computed_;
  std::set<NodeId> concerned_;  ///< of them, those that are for such a tensor
  std::set<NodeId> left_vae_;   ///< steps that left a VAE as it is
  std::set<NodeId> replaced_;
  std::set<NodeId> shared_;
  std::map<NodeId, std::uint64_t> selected_;  ///< tensors that a step with `where` acts on
  std::set<std::pair<NodeId, std::uint32_t>> muted_;
  std::set<std::uint32_t> considered_;
  std::map<std::uint32_t, NodeId> spared_;
};

}  // namespace weightsmith::internal
