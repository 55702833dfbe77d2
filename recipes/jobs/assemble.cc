#include "recipes/jobs/assemble.h"

#include <utility>

#include "core/base/error.h"
#include "core/io/output_name.h"
#include "core/model/open_as_stored.h"
#include "core/model/views/canonical_view.h"

namespace weightsmith::internal {

RewriteJob AssembleJob(const std::string& architecture,
                       const std::map<std::string, std::filesystem::path>& parts,
                       const std::filesystem::path& output) {
  return WithContext("assemble", [&] {
    ExpectOutputName(output, OutputKind::kFile);
    RecipeModel model{.name = "model", .like = architecture};
    RecipeOptions options;
    PartFiles files;
    for (const auto& [name, path] : parts) {
      std::shared_ptr<const Checkpoint>& file = options.opened[path];
      if (file == nullptr) file = OpenAsStored(path);
      files[name] = IsLoosePart(name) ? file : CanonicalView(file);
      model.parts.push_back({.component = name, .file = {.path = path}});
    }
    // Before anything is made of it, so that what is wrong with the parts is said of the command.
    Assembled(architecture, files);
    return RewriteJob{.command = "assemble",
                      .recipe = CopyRecipe(std::move(model), {.path = output}),
                      .options = std::move(options)};
  });
}

}  // namespace weightsmith::internal
