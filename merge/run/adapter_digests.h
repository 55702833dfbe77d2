// Digests of adapters' tensors, taken when these are read to be baked, so that none is read twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "core/formats/tensor_digest.h"
#include "merge/plan/plan.h"

namespace weightsmith::internal {

/// By model of the plan and tensor of its checkpoint. Any thread.
class AdapterDigests {
 public:
  void Take(const Plan& plan, std::uint32_t model, std::uint32_t tensor,
            std::span<const std::byte> bytes) {
    const Checkpoint& checkpoint = *plan.models[model].parts.front().checkpoint;
    const Digest digest = DigestOf(checkpoint.tensors()[tensor].info, bytes);
    const std::scoped_lock lock(mutex_);
    digests_.emplace(std::pair(model, tensor), digest);
  }
  std::optional<Digest> Find(std::uint32_t model, std::uint32_t tensor) const {
    const std::scoped_lock lock(mutex_);
    const auto found = digests_.find({model, tensor});
    return found == digests_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Digest> digests_;
};

}  // namespace weightsmith::internal
