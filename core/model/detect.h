// Which architecture a header is of, by the shapes of a few tensors.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/architecture.h"

namespace weightsmith::internal {

/// An architecture with its row, or a part with its row, or nothing.
struct Detection {
  const Architecture* architecture = nullptr;
  std::shared_ptr<const ArchitectureRow> row = nullptr;
  const Part* part = nullptr;
  const PartRow* part_row = nullptr;
  /// The diffusion model's names stand at the root of the file.
  bool bare = false;
  /// Of a part: what stands before its names.
  std::string_view prefix = {};
};

/// `model_type`, as a config.json has it, decides between architectures that have the same tensors.
/// REQUIRES: sorted by name.
Detection Detect(std::span<const CheckpointTensor> tensors, std::string_view model_type = {});

/// By binary search; null where there is none. REQUIRES: sorted by name.
const CheckpointTensor* FindTensor(std::span<const CheckpointTensor> tensors,
                                   std::string_view name);

/// The name that `rule`'s tensors have instead of `local`, by its first alias that fits and gives
/// a name that `known` accepts.
template <class Known>
std::optional<std::string> ResolveAlias(const ComponentRule& rule, std::string_view local,
                                        const Known& known) {
  for (const NameAlias& alias : rule.aliases) {
    std::string name;
    if (alias.where == NameAlias::Where::kPrefix && local.starts_with(alias.from)) {
      name = std::string(alias.to).append(local.substr(alias.from.size()));
    } else if (alias.where == NameAlias::Where::kSuffix && local.ends_with(alias.from)) {
      name = std::string(local.substr(0, local.size() - alias.from.size())).append(alias.to);
    } else {
      continue;
    }
    if (known(name)) return name;
  }
  return std::nullopt;
}

}  // namespace weightsmith::internal
