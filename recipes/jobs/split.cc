#include "recipes/jobs/split.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/output_name.h"
#include "core/model/views/canonical_view.h"
#include "recipes/jobs/component_choice.h"

namespace weightsmith::internal {

RewriteJob SplitJob(const std::filesystem::path& path, const std::filesystem::path& folder,
                    const std::vector<std::string>& components) {
  return WithContext("split", [&] {
    ExpectOutputName(folder, OutputKind::kFolder);
    const auto checkpoint = OpenCanonical(path);
    const Anatomy anatomy = Examine(*checkpoint);
    if (anatomy.architecture == nullptr) {
      throw Error(ErrorCode::kMismatch,
                  fmt::format("{} has no known components", Quote(path.string())),
                  "'weightsmith info' says what it is.");
    }
    RecipeOptions options;
    options.opened[path] = checkpoint;
    RecipeModel model = ModelOf({.path = path}, ChosenComponents(components, anatomy));
    return RewriteJob{.command = "split",
                      .recipe = CopyRecipe(std::move(model), {.path = folder, .split = true}),
                      .options = std::move(options)};
  });
}

}  // namespace weightsmith::internal
