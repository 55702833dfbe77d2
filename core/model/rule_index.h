// The tensors that a detected file should have, to be found by the names that it gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/model/architecture.h"
#include "core/model/detect.h"

namespace weightsmith::internal {

class RuleIndex {
 public:
  static constexpr std::size_t kNoRule = static_cast<std::size_t>(-1);

  /// Where a name belongs.
  struct Place {
    std::uint32_t component = 0;  ///< index in components()
    std::size_t rule = kNoRule;   ///< index in its tensors; kNoRule: the architecture has none such
    std::string local;
    std::string canonical;
  };

  /// REQUIRES: `detection` lives as long as this.
  explicit RuleIndex(const Detection& detection);

  const std::vector<ComponentRule>& components() const { return components_; }

  /// Nothing for a name that is under no component's prefix.
  std::optional<Place> Find(std::string_view name) const;

  std::string Canonical(std::uint32_t component, std::string_view local, bool beside) const;

 private:
  void AddComponent(std::uint32_t index);
  std::size_t FindRule(std::uint32_t component, std::string_view local) const;
  Place At(std::uint32_t component, std::size_t rule, std::string local) const;

  const Detection& detection_;
  std::vector<ComponentRule> components_;
  std::vector<std::unordered_map<std::string_view, std::size_t>> rules_;  // parallel to it
  std::vector<std::pair<std::string, std::uint32_t>> prefixes_;
  std::unordered_map<std::string, std::pair<std::uint32_t, std::size_t>> beside_;
};

}  // namespace weightsmith::internal
