#include <weightsmith/verify.h>

#include <string_view>

#include "recipes/api/from_json-inl.h"
#include "recipes/api/guarded.h"
#include "recipes/api/members/verify-inl.h"
#include "recipes/api/watch.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith {

Verification Verify(const std::filesystem::path& path, const VerifyOptions& options,
                    const RunOptions& run) {
  return internal::Guarded([&] {
    internal::Watch watch(run, "reading");
    const internal::VerifyRequest request{.path = path,
                                          .model_folders = options.models,
                                          .models = options.model,
                                          .recompute = options.recompute};
    const internal::Verification found = watch.Run([&](const internal::RunOptions& engine) {
      internal::Verification made;
      internal::Verify(
          request, engine, [&](std::string_view phase) { watch.Begin(phase); }, made);
      return made;
    });
    return internal::FromJson<Verification>::Read(internal::VerificationValue(found, nullptr));
  });
}

}  // namespace weightsmith
