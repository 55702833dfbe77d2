// What a checkpoint is, as `info` tells it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/anatomy.h"
#include "recipes/jobs/adapter_info.h"

namespace weightsmith::internal {

struct CheckpointInfo {
  std::string path;  ///< as it was given
  std::shared_ptr<const Checkpoint> checkpoint;
  Anatomy anatomy;
  /// Tensors in the files, of which some are parts of one of the model's.
  std::size_t stored = 0;
  /// Where it is no model: what it is as an adapter.
  std::optional<AdapterInfo> adapter{};
};

/// Opens and examines a file or a folder. Throws as OpenAsStored does.
CheckpointInfo ReadInfo(const std::string& path, const std::string& key = {});

/// What loading the file with Python would call beside what makes tensors: "os.system".
std::vector<std::string> Code(const CheckpointInfo& info);

/// Elements of floating dtype, and tensors of each dtype, over all components.
std::uint64_t Parameters(const Anatomy& anatomy);
std::map<DType, std::uint64_t> DTypes(const Anatomy& anatomy);

}  // namespace weightsmith::internal
