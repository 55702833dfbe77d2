// Makes views of checkpoints under other names. Private to core/anatomy.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/naming.h"
#include "core/model/quantised.h"

namespace weightsmith::internal {

class Viewer {
 public:
  explicit Viewer(const Checkpoint& checkpoint)
      : tensors_(checkpoint.tensors()), quantised_(FindQuantised(tensors_)) {}

  /// A placement's tensor, in its shape, or null.
  static const CheckpointTensor* Find(std::span<const CheckpointTensor> tensors,
                                      std::string_view prefix, const Placement& placement);

  /// Takes the tensors of a component that lie in `naming` (null: in its own naming) under
  /// `theirs`, under their local or monolithic names. Says how many.
  std::size_t Add(const ComponentRule& component, const Naming* naming, const std::string& theirs,
                  bool monolithic);

  /// What was taken, companions of quantised weights under names that go with those of their codes,
  /// and everything else under its own name.
  std::vector<CheckpointTensor> Finish();

  /// The name of a quantised weight that the view would tear from its companions: its codes are
  /// joined with others, or transposed. Empty: none is.
  const std::string& torn() const { return torn_; }

 private:
  bool AddTensor(const TensorRule& rule, const std::vector<Placement>& placements,
                 const std::string& prefix, std::string name);
  void AddMarkers(const ComponentRule& component, const std::string& theirs, bool monolithic);
  void AddCompanions();

  std::span<const CheckpointTensor> tensors_;
  std::vector<QuantisedWeight> quantised_;
  std::map<std::string_view, std::string> renamed_;  ///< simply, by the name in the file
  std::string torn_;
  std::vector<CheckpointTensor> view_;
  std::set<std::string_view> taken_;
};

/// The tensors of a component, by local name, in another naming, as a view, without those that the
/// naming lacks. What no rule speaks of keeps its name. Throws kInput for a tensor that lies in the
/// file so that its parts are no view, kMismatch for a quantised weight whose codes would be cut.
std::vector<CheckpointTensor> InNaming(const Naming& naming, const ComponentRule& component,
                                       std::span<const CheckpointTensor> tensors);

}  // namespace weightsmith::internal
