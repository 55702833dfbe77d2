// The kinds of layer that all builders are made of, as the tensors that each has.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

enum class Bias : bool { kNo, kYes };

class RuleList {
 public:
  void Tensor(std::string name, Shape shape) {
    rules_.push_back({std::move(name), std::move(shape)});
  }
  void Add(TensorRule rule) { rules_.push_back(std::move(rule)); }

  /// [out, in], and a bias.
  void Linear(const std::string& name, std::uint64_t out, std::uint64_t in,
              Bias bias = Bias::kYes) {
    Tensor(name + ".weight", {out, in});
    if (bias == Bias::kYes) Tensor(name + ".bias", {out});
  }
  /// [out, in, size, size], and a bias.
  void Conv(const std::string& name, std::uint64_t out, std::uint64_t in, std::uint64_t size) {
    Tensor(name + ".weight", {out, in, size, size});
    Tensor(name + ".bias", {out});
  }
  /// A normalisation's weight and bias.
  void Norm(const std::string& name, std::uint64_t width) {
    Tensor(name + ".weight", {width});
    Tensor(name + ".bias", {width});
  }

  /// The weight of a normalisation that has no bias.
  void RmsNorm(const std::string& name, std::uint64_t width) { Tensor(name + ".weight", {width}); }

  std::vector<TensorRule> Take() { return std::move(rules_); }

 private:
  std::vector<TensorRule> rules_;
};

}  // namespace weightsmith::internal
