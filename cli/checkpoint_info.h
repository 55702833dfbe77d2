// What `info` says of a checkpoint, for people and for scripts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/json.h"
#include "core/anatomy/anatomy.h"
#include "core/checkpoint.h"

namespace weightsmith {

struct CheckpointInfo {
  std::string path;  ///< as it was given
  std::shared_ptr<const Checkpoint> checkpoint;
  Anatomy anatomy;
};

/// Opens and examines a file or a folder. Throws as Checkpoint::Open does.
CheckpointInfo ReadInfo(const std::string& path);

/// What loading the file with Python would call beside what makes tensors: "os.system".
std::vector<std::string> Code(const CheckpointInfo& info);

/// Elements of floating dtype, and tensors of each dtype, over all components.
std::uint64_t Parameters(const Anatomy& anatomy);
std::map<DType, std::uint64_t> DTypes(const Anatomy& anatomy);

/// The names are a promise to scripts; recipes/schema/info.json describes them.
Json ToJson(const CheckpointInfo& info, bool tensors);

/// A page about one checkpoint.
std::string InfoPage(const CheckpointInfo& info, bool tensors);

/// A line each, in columns.
std::string InfoLines(const std::vector<CheckpointInfo>& infos);

}  // namespace weightsmith
