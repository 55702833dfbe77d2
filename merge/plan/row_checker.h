// Rows of values by place that are at no tensor: a misspelled place would else be no weight at all.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/model/architecture.h"
#include "merge/expression/places.h"
#include "merge/plan/problems.h"

namespace weightsmith::internal {

/// Judges rows against the tensors of a result. A place that the architecture declares and that
/// these files do not have is a note, since recipes are shared by more than one kind of file. Any
/// other is a problem, which lists the places that there are.
class RowChecker {
 public:
  /// `row` is the model's, null where its architecture is not known. REQUIRES: all outlive this.
  RowChecker(std::span<const TensorPlace> present, const Architecture* architecture,
             const ArchitectureRow* row, std::vector<std::string>& notes, Problems& problems);

  /// `where` says whose rows they are: "step 'mix'". `supermerger`: they follow its map of keys.
  template <class T>
  void Check(const PlaceMap<T>& values, const std::string& where, bool supermerger = false) {
    for (const PlaceRow<T>& row : values.rows()) CheckRow(row.selector, where, supermerger);
  }

  /// Likewise a name of a `where`.
  void CheckName(const Selector& selector, const std::string& where);

 private:
  bool IsPresent(const Selector& selector) const;
  void CheckRow(const Selector& selector, const std::string& where, bool supermerger);
  void TellAbsent(const Selector& selector, const std::string& said);
  bool MayLack(const Selector& selector);
  std::string Advice(const Selector& selector);
  std::string Segments(const Selector& selector) const;
  std::string CountedFromZero(const Selector& selector) const;
  void Declare();

  std::span<const TensorPlace> present_;
  std::map<NumberedBlock, std::vector<TensorPlace>> by_block_;
  std::vector<TensorPlace> folded_;  ///< the same by SuperMerger's map
  const Architecture* architecture_;
  const ArchitectureRow* row_;
  std::vector<std::string>* notes_;
  Problems* problems_;
  std::vector<ComponentRule> rules_;
  std::vector<std::string> names_;     ///< of the declared tensors
  std::vector<TensorPlace> declared_;  ///< views of rules_ and names_
  std::string places_;                 ///< those that there are, in words
  std::set<std::string> noted_;
  std::size_t told_ = 0;
};

}  // namespace weightsmith::internal
