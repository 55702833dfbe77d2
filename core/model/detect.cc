#include "core/model/detect.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace weightsmith::internal {
namespace {

using Tensors = std::span<const CheckpointTensor>;

/// Codes of a quantised weight, packed in another shape than the weight's.
bool IsPacked(DType dtype) {
  return dtype == DType::kU8 || dtype == DType::kI8;
}

bool Fits(Tensors tensors, std::string_view prefix, const SignatureTensor& expected) {
  const CheckpointTensor* tensor = FindTensor(tensors, std::string(prefix).append(expected.tensor));
  return tensor != nullptr &&
         (tensor->info.shape == expected.shape || IsPacked(tensor->info.dtype));
}

bool Fits(Tensors tensors, std::string_view prefix, std::span<const SignatureTensor> signature) {
  return std::all_of(signature.begin(), signature.end(), [&](const SignatureTensor& expected) {
    return Fits(tensors, prefix, expected);
  });
}

/// Whether a name begins so.
bool Begins(Tensors tensors, std::string_view beginning) {
  const auto first = std::lower_bound(
      tensors.begin(), tensors.end(), beginning,
      [](const CheckpointTensor& tensor, std::string_view name) { return tensor.name < name; });
  return first != tensors.end() && first->name.starts_with(beginning);
}

bool HasAny(Tensors tensors, std::string_view prefix, std::span<const std::string> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](const std::string& beginning) {
    return Begins(tensors, std::string(prefix) + beginning) || Begins(tensors, beginning);
  });
}

/// A row that lives as long as the program.
std::shared_ptr<const ArchitectureRow> Declared(const ArchitectureRow& row) {
  return {std::shared_ptr<void>(), &row};
}

constexpr std::string_view kDiffusionPrefix = "model.diffusion_model.";

/// By the diffusion model, under its prefix or bare.
Detection DetectByDiffusion(Tensors tensors) {
  for (const std::string_view prefix : {kDiffusionPrefix, std::string_view()}) {
    for (const Architecture* architecture : Architectures()) {
      if (architecture->fit) continue;
      for (const ArchitectureRow& row : architecture->rows) {
        if (!Fits(tensors, prefix, row.signature)) continue;
        if (HasAny(tensors, prefix, row.absent)) continue;
        return {.architecture = architecture, .row = Declared(row), .bare = prefix.empty()};
      }
    }
  }
  return {};
}

/// By the architectures whose sizes are the header's own: the one of that type, else the first.
Detection DetectByFit(Tensors tensors, std::string_view model_type) {
  Detection detection;
  for (const Architecture* architecture : Architectures()) {
    if (!architecture->fit) continue;
    const bool named = architecture->id == model_type;
    if (detection.architecture != nullptr && !named) continue;
    auto row = architecture->fit(tensors);
    if (!row) continue;
    detection.architecture = architecture;
    detection.row = std::make_shared<const ArchitectureRow>(std::move(*row));
    detection.bare = true;
    if (named) break;
  }
  return detection;
}

/// By a part; with `bare` one whose names stand at the root, else one under a prefix.
Detection DetectByPart(Tensors tensors, bool bare) {
  for (const Part* part : Parts()) {
    for (const std::string_view prefix : part->prefixes) {
      if (prefix.empty() != bare) continue;
      for (const PartRow& row : part->rows) {
        if (!Fits(tensors, prefix, row.signature)) continue;
        return {.part = part, .part_row = &row, .prefix = prefix};
      }
    }
  }
  return {};
}

/// Whether at least half of what the component must have is there under `prefix`.
bool IsMostlyThere(Tensors tensors, std::string_view prefix, const ComponentRule& component) {
  if (!Begins(tensors, prefix)) return false;
  std::size_t required = 0;
  std::size_t found = 0;
  for (const TensorRule& rule : component.tensors) {
    if (rule.optional) continue;
    ++required;
    found += Fits(tensors, prefix, SignatureTensor{rule.name, rule.shape}) ? 1 : 0;
  }
  return 2 * found >= required;
}

struct TextEncoder {
  const Architecture* architecture;
  const ArchitectureRow* row;
  ComponentRule component;
};

/// The text encoders of all architectures; made once, because making the rules of whole models
/// takes longer than looking a file through.
const std::vector<TextEncoder>& TextEncoders() {
  static const std::vector<TextEncoder> encoders = [] {
    std::vector<TextEncoder> made;
    for (const Architecture* architecture : Architectures()) {
      std::string_view scale;
      for (const ArchitectureRow& row : architecture->rows) {
        if (row.scale == scale) continue;  // variants share their encoders
        scale = row.scale;
        for (ComponentRule& component : row.components()) {
          if (component.kind != ComponentKind::kText) continue;
          made.push_back({architecture, &row, std::move(component)});
        }
      }
    }
    return made;
  }();
  return encoders;
}

/// A monolithic file without its diffusion model: only text encoders have prefixes that are one
/// architecture's alone.
Detection DetectByText(Tensors tensors) {
  for (const TextEncoder& encoder : TextEncoders()) {
    for (const std::string& prefix : encoder.component.prefixes) {
      if (!IsMostlyThere(tensors, prefix, encoder.component)) continue;
      return {.architecture = encoder.architecture, .row = Declared(*encoder.row)};
    }
  }
  return {};
}

}  // namespace

const CheckpointTensor* FindTensor(Tensors tensors, std::string_view name) {
  const auto found = std::lower_bound(
      tensors.begin(), tensors.end(), name,
      [](const CheckpointTensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

Detection Detect(Tensors tensors, std::string_view model_type) {
  Detection detection = DetectByDiffusion(tensors);
  const auto known = [&] { return detection.architecture != nullptr || detection.part != nullptr; };
  if (!known()) detection = DetectByFit(tensors, model_type);
  if (!known()) detection = DetectByPart(tensors, /*bare=*/true);
  // A file with a diffusion model that nobody declared is not what its other components are.
  if (Begins(tensors, kDiffusionPrefix)) return detection;
  if (!known()) detection = DetectByText(tensors);
  if (!known()) detection = DetectByPart(tensors, /*bare=*/false);
  return detection;
}

}  // namespace weightsmith::internal
