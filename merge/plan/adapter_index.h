// An adapter fitted to the model that it is baked into: which module goes to which tensor, and what
// becomes of the others. From headers alone.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "merge/adapters/adapter_part.h"
#include "merge/plan/model_index.h"
#include "merge/plan/problems.h"

namespace weightsmith::internal {

class AdapterIndex {
 public:
  /// `bases` are the models that it meets, the leftmost first; `elsewhere` says what becomes of
  /// modules for components that they lack. Everything that does not fit goes to `problems`.
  /// REQUIRES: a model that has an adapter.
  AdapterIndex(const Model& model, std::span<const ModelIndex* const> bases,
               ElsewherePolicy elsewhere, Problems& problems);

  /// What the adapter does to a tensor; null where it does nothing.
  const std::vector<AdapterPart>* Find(const TensorKey& key) const;
  /// Of the tensor in the leftmost base that has it.
  const Shape* ShapeOf(const TensorKey& key) const;
  const AdapterClasses& classes() const { return classes_; }

 private:
  friend class AdapterFitter;

  std::map<TensorKey, std::vector<AdapterPart>> parts_;
  std::map<TensorKey, Shape> shapes_;
  AdapterClasses classes_;
};

}  // namespace weightsmith::internal
