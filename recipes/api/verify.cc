#include <weightsmith/verify.h>

#include <string_view>
#include <utility>

#include "recipes/api/guarded.h"
#include "recipes/api/watch.h"
#include "recipes/jobs/verify.h"

namespace weightsmith {

Verification Verify(const std::filesystem::path& path, const VerifyOptions& options,
                    const RunOptions& run) {
  return internal::Guarded([&] {
    internal::Watch watch(run, "reading");
    const internal::VerifyRequest request{.path = path,
                                          .model_folders = options.models,
                                          .models = options.model,
                                          .recompute = options.recompute};
    internal::Verification found = watch.Run([&](const internal::RunOptions& engine) {
      internal::Verification made;
      internal::Verify(
          request, engine, [&](std::string_view phase) { watch.Begin(phase); }, made);
      return made;
    });
    const bool right = found.problems.empty();
    return Verification{.path = std::move(found.path),
                        .right = right,
                        .checked = std::move(found.checked),
                        .recipe = found.recipe,
                        .problems = std::move(found.problems),
                        .status = right ? 0 : static_cast<int>(ErrorCode::kVerification)};
  });
}

}  // namespace weightsmith
