#include "core/model/views/canonical_view.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/model/detect.h"
#include "core/model/naming.h"
#include "core/model/open_as_stored.h"
#include "core/model/pipeline_folders.h"
#include "core/model/views/component_views.h"
#include "core/model/views/viewer.h"

namespace weightsmith::internal {
namespace {

using Tensors = std::span<const CheckpointTensor>;

const TensorRule* RuleNamed(const ComponentRule& component, std::string_view name) {
  const auto found = std::ranges::find(component.tensors, name, &TensorRule::name);
  return found == component.tensors.end() ? nullptr : &*found;
}

/// Whether the signature fits in the component's other naming, under `prefix`.
bool Fits(Tensors tensors, const std::string& prefix, const ComponentRule& component,
          std::span<const SignatureTensor> signature) {
  const Naming* naming = NamingOf(component);
  if (naming == nullptr) return false;
  return std::ranges::all_of(signature, [&](const SignatureTensor& expected) {
    const TensorRule* rule = RuleNamed(component, expected.tensor);
    if (rule == nullptr) return false;
    const auto placements = PlaceIn(*naming, *rule, component);
    return std::ranges::all_of(placements, [&](const Placement& placement) {
      return Viewer::Find(tensors, prefix, placement) != nullptr;
    });
  });
}

bool Has(Tensors tensors, std::string_view beginning) {
  return std::ranges::any_of(tensors, [beginning](const CheckpointTensor& tensor) {
    return tensor.name.starts_with(beginning);
  });
}

/// Names that only diffusers' files begin with: most files need no further look.
bool LooksLikeDiffusers(Tensors tensors) {
  const auto has = [&](std::string_view beginning) { return Has(tensors, beginning); };
  // Other files have a "vae." as well: there it takes the names behind it.
  const auto is_of_folder = [&](const std::string& folder) {
    return has(folder + (folder == "vae" ? ".encoder.down_blocks." : "."));
  };
  return std::ranges::any_of(PipelineFolders(), is_of_folder) ||
         std::ranges::any_of(Namings(), [&](const Naming* naming) {
           return std::ranges::any_of(naming->beginnings, has);
         });
}

std::optional<Viewer> ViewDiffusion(const Checkpoint& checkpoint) {
  // Relatives share signatures: of those that fit, it is the one that has most of the tensors.
  std::optional<Viewer> best;
  std::size_t most = 0;
  for (const bool folder : {false, true}) {
    for (const Architecture* architecture : Architectures()) {
      for (const ArchitectureRow& row : architecture->rows) {
        const std::vector<ComponentRule> components = row.components();
        const ComponentRule& diffusion = components.front();
        const std::string prefix =
            folder ? PipelineFolder(components, diffusion.name) + "." : std::string();
        if (!Fits(checkpoint.tensors(), prefix, diffusion, row.signature)) continue;
        Viewer viewer(checkpoint);
        std::size_t count = viewer.Add(diffusion, NamingOf(diffusion), prefix, folder);
        for (const ComponentRule& component : std::span(components).subspan(1)) {
          if (!folder) break;
          const std::string inside = PipelineFolder(components, component.name);
          count += viewer.Add(component, NamingOf(component), inside + ".", true);
        }
        if (count <= most) continue;
        most = count;
        best = std::move(viewer);
      }
    }
  }
  return best;
}

std::optional<Viewer> ViewPart(const Checkpoint& checkpoint) {
  for (const Part* part : Parts()) {
    for (const PartRow& row : part->rows) {
      const ComponentRule component = row.component();
      const Naming* naming = NamingOf(component);
      if (naming == nullptr || naming->id != "diffusers") continue;
      if (!Fits(checkpoint.tensors(), "", component, row.signature)) continue;
      Viewer viewer(checkpoint);
      viewer.Add(component, naming, "", false);
      return viewer;
    }
  }
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const Checkpoint> CanonicalView(std::shared_ptr<const Checkpoint> checkpoint) {
  // What is known by its own names needs no rules of other architectures.
  const Detection known = Detect(checkpoint->tensors());
  if (known.architecture != nullptr || known.part != nullptr) return checkpoint;
  if (!LooksLikeDiffusers(checkpoint->tensors())) return checkpoint;
  std::optional<Viewer> viewer = ViewDiffusion(*checkpoint);
  if (!viewer) viewer = ViewPart(*checkpoint);
  if (!viewer) return checkpoint;
  std::vector<CheckpointTensor> view = viewer->Finish();
  // Quantised weights stay under their own names where others would tear them apart.
  if (!viewer->torn().empty()) return checkpoint;
  return checkpoint->View(std::move(view), "diffusers");
}

std::vector<std::shared_ptr<const Checkpoint>> NamingsOf(
    const std::shared_ptr<const Checkpoint>& checkpoint) {
  std::vector<std::shared_ptr<const Checkpoint>> namings{checkpoint};
  if (auto view = CanonicalView(checkpoint); view != checkpoint) namings.push_back(std::move(view));
  const Detection known = Detect(checkpoint->tensors());
  if (known.part == nullptr || known.part_row->layout != "hf") return namings;
  for (const PartRow& row : known.part->rows) {
    if (row.scale != known.part_row->scale || row.layout == "hf") continue;
    if (auto view = LocalView(*checkpoint, row.component())) namings.push_back(std::move(view));
  }
  return namings;
}

std::shared_ptr<const Checkpoint> OpenCanonical(const std::filesystem::path& path,
                                                std::optional<IoBackend> backend,
                                                const std::string& key) {
  return CanonicalView(OpenAsStored(path, backend, key));
}

}  // namespace weightsmith::internal
