#include "recipes/jobs/checkpoint_info.h"

#include "core/formats/torch/globals.h"
#include "core/model/open_as_stored.h"
#include "core/model/views/canonical_view.h"

namespace weightsmith::internal {

CheckpointInfo ReadInfo(const std::string& path, const std::string& key) {
  const auto own = OpenAsStored(path, std::nullopt, key);
  const auto checkpoint = CanonicalView(own);
  CheckpointInfo info{path, checkpoint, Examine(*checkpoint), own->tensors().size()};
  if (info.anatomy.architecture == nullptr && info.anatomy.part == nullptr) {
    info.adapter = FindAdapter(checkpoint);
  }
  return info;
}

std::uint64_t Parameters(const Anatomy& anatomy) {
  std::uint64_t sum = 0;
  for (const ComponentAnatomy& component : anatomy.components) sum += component.parameters;
  return sum;
}

std::map<DType, std::uint64_t> DTypes(const Anatomy& anatomy) {
  std::map<DType, std::uint64_t> sum;
  for (const ComponentAnatomy& component : anatomy.components) {
    for (const auto& [dtype, tensors] : component.dtypes) sum[dtype] += tensors;
  }
  return sum;
}

std::vector<std::string> Code(const CheckpointInfo& info) {
  std::vector<std::string> code;
  for (const std::string& name : info.checkpoint->globals()) {
    if (ClassifyGlobal(name) != GlobalSafety::kSafe) code.push_back(name);
  }
  return code;
}

}  // namespace weightsmith::internal
