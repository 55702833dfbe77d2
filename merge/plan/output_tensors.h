// The tensors that each output has, under the names that it gives them, with the products that
// they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "merge/plan/expression_index.h"
#include "merge/plan/plan.h"
#include "merge/plan/planned_tensors.h"

namespace weightsmith::internal {

class OutputTensors {
 public:
  /// REQUIRES: both outlive it.
  OutputTensors(const Plan& plan, const ExpressionIndex& index);

  /// By their number.
  const std::vector<std::vector<OutputTensor>>& all() const { return tensors_; }

  /// A tensor of the models, named as the output is. `info` is that of the task's product.
  void Add(const Want& want, const TensorKey& key, const std::string& canonical,
           const TensorInfo& info, std::uint32_t task, std::uint32_t product);
  /// One that has its names.
  void Add(std::uint32_t output, OutputTensor tensor);
  /// What the output has of a product. REQUIRES: there is one.
  const OutputTensor& Of(std::uint32_t output, std::uint32_t task, std::uint32_t product) const;

 private:
  bool IsOneComponent(const OutputSpec& spec) const;

  const Plan* plan_;
  const ExpressionIndex* index_;
  std::vector<bool> one_component_;  ///< by output
  std::vector<std::vector<OutputTensor>> tensors_;
};

}  // namespace weightsmith::internal
