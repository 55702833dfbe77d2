#include "recipes/jobs/split.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/output_name.h"
#include "core/model/views/canonical_view.h"
#include "core/model/views/component_views.h"
#include "recipes/jobs/component_choice.h"

namespace weightsmith::internal {

RewriteJob SplitJob(const std::filesystem::path& path, const std::filesystem::path& folder,
                    const std::vector<std::string>& components) {
  WithContext("split", [&] { ExpectOutputName(folder, OutputKind::kFolder); });
  const auto checkpoint = WithContext("split", [&] { return OpenCanonical(path); });
  const Anatomy anatomy = Examine(*checkpoint);
  if (anatomy.architecture == nullptr) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("split: {} has no known components", Quote(path.string())),
                "'weightsmith info' says what it is.");
  }
  const std::set<std::string> chosen = ChosenComponents(components, anatomy, "split");
  RewriteJob job{.files = {}, .make_folder = true, .folder = folder};
  for (ComponentView& view : ComponentViews(*checkpoint, anatomy)) {
    if (!chosen.empty() && !chosen.contains(view.name)) continue;
    const std::filesystem::path file = folder / (view.name + ".safetensors");
    job.files.push_back(
        {.name = view.name, .checkpoint = std::move(view.checkpoint), .path = file});
  }
  return job;
}

}  // namespace weightsmith::internal
