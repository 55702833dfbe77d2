// Results that stay in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/formats/checkpoint.h"
#include "merge/plan/plan.h"
#include "merge/run/destination.h"

namespace weightsmith::internal {

/// Every tensor of the plan's output files has memory of its own.
class MemoryDestination final : public Destination {
 public:
  /// Throws kMismatch for a name that two files have.
  explicit MemoryDestination(const Plan& plan);

  void Write(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) override;
  /// What was written, under the names of the files.
  std::shared_ptr<const Checkpoint> Take() &&;

 private:
  struct Tensor {
    std::string name;
    TensorInfo info;
    std::shared_ptr<std::byte[]> bytes;
  };
  std::filesystem::path path_;
  /// By file and end: a range is looked for by the first that ends behind its begin.
  std::map<std::pair<std::uint32_t, std::uint64_t>, Tensor> tensors_;
  std::vector<Tensor> empty_;  ///< tensors without elements
};

}  // namespace weightsmith::internal
