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
#include "core/formats/safetensors/header.h"
#include "merge/plan/plan.h"
#include "merge/run/destination.h"

namespace weightsmith::internal {

/// Every tensor has memory of its own.
class MemoryDestination final : public Destination {
 public:
  /// For all tensors of the plan's output files. Throws kMismatch for a name that two files have.
  explicit MemoryDestination(const Plan& plan);
  /// For one of them; what is of others is not kept.
  MemoryDestination(const Plan& plan, std::uint32_t file, const SafetensorsEntry& entry);

  void Write(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) override;
  /// What was written, under the names of the files.
  std::shared_ptr<const Checkpoint> Take() &&;

 private:
  void Add(std::uint32_t file, std::uint64_t data_start, const SafetensorsEntry& entry);

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
