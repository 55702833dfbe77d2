// What the declarations of namings read configurations off with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/json-inl.h"
#include "core/model/anatomy.h"
#include "core/model/component_config.h"

namespace weightsmith::internal {

/// Reads the numbers of a model off its tensors.
class Shapes {
 public:
  explicit Shapes(const ComponentRule& component) : component_(component) {}

  bool Has(const std::string& name) const { return Find(name) != nullptr; }
  /// 0 where there is no such tensor.
  std::uint64_t Dim(const std::string& name, std::size_t axis) const {
    const TensorRule* rule = Find(name);
    return rule == nullptr || axis >= rule->shape.size() ? 0 : rule->shape[axis];
  }
  /// How many of before.0.behind, before.1.behind … there are.
  std::uint64_t Count(const std::string& before, const std::string& behind) const {
    std::uint64_t count = 0;
    while (Has(before + "." + std::to_string(count) + "." + behind)) ++count;
    return count;
  }

 private:
  const TensorRule* Find(const std::string& name) const {
    const auto found = std::ranges::find(component_.tensors, name, &TensorRule::name);
    return found == component_.tensors.end() ? nullptr : &*found;
  }
  const ComponentRule& component_;
};

/// How many heads of the usual width there are; a narrow model has one.
inline std::uint64_t Heads(std::uint64_t width, std::uint64_t head) {
  return std::max<std::uint64_t>(1, width / head);
}

/// Groups of a normalisation: 32, or one a channel where there are fewer.
inline std::uint64_t Groups(std::uint64_t channels) {
  return channels % 32 == 0 ? 32 : channels;
}

/// Of diffusers: the class is in it.
inline ComponentConfig DiffusersConfig(const Json& config) {
  return {"diffusers", config["_class_name"].get<std::string>(), ToText(config)};
}

}  // namespace weightsmith::internal
