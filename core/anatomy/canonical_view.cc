#include "core/anatomy/canonical_view.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/anatomy/detect.h"
#include "core/anatomy/layout.h"
#include "core/anatomy/naming.h"

namespace weightsmith {
namespace {

using Tensors = std::span<const CheckpointTensor>;

/// Whether a placement's tensor is there, in its shape.
const CheckpointTensor* Find(Tensors tensors, std::string_view prefix, const Placement& placement) {
  for (const std::string& name : {placement.name, placement.other_name}) {
    if (name.empty()) continue;
    const CheckpointTensor* found = FindTensor(tensors, std::string(prefix) + name);
    if (found == nullptr) continue;
    const bool flat = ElementCount(found->info.shape) == ElementCount(placement.shape);
    if (found->info.shape == placement.shape || (flat && placement.shape.size() <= 2)) return found;
  }
  return nullptr;
}

bool Contiguous(const CheckpointTensor& tensor) {
  return tensor.gather == nullptr && Info(tensor.info.dtype).bits >= 8;
}

/// The run of a contiguous tensor's rows, or of all of it transposed.
GatherRun RunOf(const CheckpointTensor& tensor, const Placement& placement) {
  const std::uint64_t size = Info(tensor.info.dtype).bits / 8;
  const Shape& shape = placement.shape;
  if (placement.transposed) {
    return {tensor.file, tensor.offset, {{shape[1], 1}, {shape[0], shape[1]}}};
  }
  const std::uint64_t all = tensor.info.elements();
  const std::uint64_t width = placement.rows == 0 ? all : all / shape[0];
  return ContiguousRun(tensor.file, tensor.offset + placement.their_row * width * size,
                       placement.rows == 0 ? all : placement.rows * width);
}

class Viewer {
 public:
  explicit Viewer(const Checkpoint& checkpoint) : tensors_(checkpoint.tensors()) {}

  /// The tensors of a component that lie in the other naming under `theirs`, named `ours`. Says
  /// whether there is any.
  bool Add(const ComponentRule& component, const std::string& theirs, bool monolithic) {
    const Layout* layout = LayoutOf(component);
    bool any = false;
    for (const TensorRule& rule : component.tensors) {
      const std::vector<Placement> placements =
          layout != nullptr ? PlaceIn(*layout, rule, component)
                            : std::vector<Placement>{{.name = rule.name, .shape = rule.shape}};
      any = AddTensor(rule, placements, theirs,
                      monolithic ? MonolithicName(component, rule.name, rule.beside) : rule.name) ||
            any;
    }
    return any;
  }

  /// Everything that was not taken, under its own name.
  std::vector<CheckpointTensor> Finish() {
    for (const CheckpointTensor& tensor : tensors_) {
      if (!taken_.contains(tensor.name)) view_.push_back(tensor);
    }
    std::ranges::sort(view_, {}, &CheckpointTensor::name);
    const auto twice = std::ranges::unique(view_, {}, &CheckpointTensor::name);
    view_.erase(twice.begin(), twice.end());
    return std::move(view_);
  }

 private:
  bool AddTensor(const TensorRule& rule, const std::vector<Placement>& placements,
                 const std::string& prefix, std::string name) {
    std::vector<const CheckpointTensor*> found;
    for (const Placement& placement : placements) {
      found.push_back(Find(tensors_, prefix, placement));
      if (found.back() == nullptr) return false;
      if (found.back()->info.dtype != found.front()->info.dtype) return false;
    }
    CheckpointTensor tensor = *found.front();
    tensor.name = std::move(name);
    tensor.info.shape = rule.shape;
    const bool renamed_only = placements.size() == 1 && !placements[0].transposed;
    if (!renamed_only) {
      if (!std::ranges::all_of(found, [](const auto* part) { return Contiguous(*part); })) {
        return false;
      }
      Gather gather;
      for (std::size_t i = 0; i < found.size(); ++i) {
        gather.push_back(RunOf(*found[i], placements[i]));
      }
      tensor.gather = std::make_shared<const Gather>(std::move(gather));
    }
    for (const CheckpointTensor* part : found) taken_.insert(part->name);
    view_.push_back(std::move(tensor));
    return true;
  }

  Tensors tensors_;
  std::vector<CheckpointTensor> view_;
  std::set<std::string_view> taken_;
};

const TensorRule* RuleNamed(const ComponentRule& component, std::string_view name) {
  const auto found = std::ranges::find(component.tensors, name, &TensorRule::name);
  return found == component.tensors.end() ? nullptr : &*found;
}

/// Whether the signature fits in the component's other naming, under `prefix`.
bool Fits(Tensors tensors, const std::string& prefix, const ComponentRule& component,
          std::span<const SignatureTensor> signature) {
  const Layout* layout = LayoutOf(component);
  if (layout == nullptr) return false;
  return std::ranges::all_of(signature, [&](const SignatureTensor& expected) {
    const TensorRule* rule = RuleNamed(component, expected.tensor);
    if (rule == nullptr) return false;
    const auto placements = PlaceIn(*layout, *rule, component);
    return std::ranges::all_of(placements, [&](const Placement& placement) {
      return Find(tensors, prefix, placement) != nullptr;
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
  constexpr std::string_view kBeginnings[] = {"conv_in.",
                                              "down_blocks.",
                                              "transformer_blocks.",
                                              "unet.",
                                              "transformer.",
                                              "encoder.down_blocks.",
                                              "text_encoder.",
                                              "vae.encoder.down_blocks.",
                                              "single_transformer_blocks."};
  return std::ranges::any_of(kBeginnings,
                             [&](std::string_view beginning) { return Has(tensors, beginning); });
}

std::optional<Viewer> ViewDiffusion(const Checkpoint& checkpoint) {
  for (const std::string prefix : {"", "unet.", "transformer."}) {
    for (const Architecture* architecture : Architectures()) {
      for (const ArchitectureRow& row : architecture->rows) {
        const std::vector<ComponentRule> components = row.components();
        const ComponentRule& diffusion = components.front();
        if (!Fits(checkpoint.tensors(), prefix, diffusion, row.signature)) continue;
        Viewer viewer(checkpoint);
        const bool folder = !prefix.empty();
        viewer.Add(diffusion, prefix, folder);
        int encoder = 0;
        for (const ComponentRule& component : std::span(components).subspan(1)) {
          if (!folder) break;
          if (component.kind == ComponentKind::kVae) {
            viewer.Add(component, "vae.", true);
          } else if (component.kind == ComponentKind::kText) {
            ++encoder;
            viewer.Add(
                component,
                encoder == 1 ? "text_encoder." : "text_encoder_" + std::to_string(encoder) + ".",
                true);
          }
        }
        return viewer;
      }
    }
  }
  return std::nullopt;
}

std::optional<Viewer> ViewPart(const Checkpoint& checkpoint) {
  for (const Part* part : Parts()) {
    for (const PartRow& row : part->rows) {
      const ComponentRule component = row.component();
      const Layout* layout = LayoutOf(component);
      if (layout == nullptr || layout->id != "diffusers") continue;
      if (!Fits(checkpoint.tensors(), "", component, row.signature)) continue;
      Viewer viewer(checkpoint);
      viewer.Add(component, "", false);
      return viewer;
    }
  }
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const Checkpoint> CanonicalView(std::shared_ptr<const Checkpoint> checkpoint) {
  if (!LooksLikeDiffusers(checkpoint->tensors())) return checkpoint;
  const Detection known = Detect(checkpoint->tensors());
  if (known.architecture != nullptr || known.part != nullptr) return checkpoint;
  std::optional<Viewer> viewer = ViewDiffusion(*checkpoint);
  if (!viewer) viewer = ViewPart(*checkpoint);
  if (!viewer) return checkpoint;
  return checkpoint->View(viewer->Finish(), "diffusers");
}

std::shared_ptr<const Checkpoint> OpenCanonical(const std::filesystem::path& path,
                                                std::optional<IoBackend> backend) {
  return CanonicalView(Checkpoint::Open(path, backend));
}

}  // namespace weightsmith
