#include <weightsmith/info.h>

#include "recipes/api/from_json-inl.h"
#include "recipes/api/guarded.h"
#include "recipes/api/members/info-inl.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith {

CheckpointInfo ReadInfo(const std::filesystem::path& path, const InfoOptions& options) {
  return internal::Guarded([&] {
    const internal::CheckpointInfo info = internal::ReadInfo(path.string(), options.key);
    return internal::FromJson<CheckpointInfo>::Read(internal::InfoValue(info, options.tensors));
  });
}

}  // namespace weightsmith
