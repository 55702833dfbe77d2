#include "core/model/views/component_views.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/naming.h"
#include "core/model/text_encoders.h"
#include "core/model/views/viewer.h"

namespace weightsmith::internal {
namespace {

/// The rule of a component, where the architecture has one.
const ComponentRule* RuleOf(std::span<const ComponentRule> rules, std::string_view name) {
  const auto found = std::ranges::find(rules, name, &ComponentRule::name);
  return found == rules.end() ? nullptr : &*found;
}

std::string OwnName(const CheckpointTensor& tensor, const TensorAnatomy& told, bool outside) {
  return outside ? tensor.name : told.local;
}

}  // namespace

std::vector<ComponentRule> ComponentRules(const Anatomy& anatomy) {
  if (anatomy.row != nullptr) return anatomy.row->components();
  if (anatomy.part == nullptr) return {};
  for (const PartRow& row : anatomy.part->rows) {
    const bool fits = row.variant == anatomy.variant && row.scale == anatomy.scale;
    if (fits && (row.layout == anatomy.layout || anatomy.layout == "diffusers")) {
      ComponentRule rule = row.component();
      if (rule.kind == ComponentKind::kText) {
        rule.text_encoder = TextEncoderNumber(nullptr, rule.name);
      }
      return {std::move(rule)};
    }
  }
  return {};
}

std::vector<ComponentView> ComponentViews(const Checkpoint& checkpoint, const Anatomy& anatomy,
                                          FileNaming naming) {
  std::vector<std::vector<CheckpointTensor>> parts(anatomy.components.size());
  for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
    const TensorAnatomy& told = anatomy.tensors[i];
    CheckpointTensor tensor = checkpoint.tensors()[i];
    const bool outside = anatomy.components[told.component].kind == ComponentKind::kOther;
    tensor.name = OwnName(tensor, told, outside);
    parts[told.component].push_back(std::move(tensor));
  }
  const std::vector<ComponentRule> rules = ComponentRules(anatomy);
  std::vector<ComponentView> views;
  for (std::size_t c = 0; c < parts.size(); ++c) {
    const ComponentRule* rule = RuleOf(rules, anatomy.components[c].name);
    const Naming* other = rule != nullptr ? NamingOf(*rule) : nullptr;
    if (other != nullptr && (naming == FileNaming::kDiffusers || other->id == "hf")) {
      parts[c] = InNaming(*other, *rule, parts[c]);
    }
    std::ranges::sort(parts[c], {}, &CheckpointTensor::name);
    views.push_back({anatomy.components[c].name, checkpoint.View(std::move(parts[c]), "")});
  }
  return views;
}

namespace {

/// Null where the file is not the component.
std::shared_ptr<const Checkpoint> TryComponent(const Checkpoint& file,
                                               const ComponentRule& component, bool monolithic) {
  std::size_t required = 0;
  for (const TensorRule& rule : component.tensors) required += rule.optional ? 0 : 1;
  std::vector<std::string> prefixes = component.prefixes;
  prefixes.insert(prefixes.begin(), "");
  for (const std::string& prefix : prefixes) {
    for (const Naming* naming : {static_cast<const Naming*>(nullptr), NamingOf(component)}) {
      Viewer viewer(file);
      if (viewer.Add(component, naming, prefix, monolithic) < required) continue;
      std::vector<CheckpointTensor> view = viewer.Finish();
      if (!viewer.torn().empty()) {
        throw Error(ErrorCode::kMismatch,
                    fmt::format("{} holds quantised weights in another naming, which cannot be "
                                "joined: {}",
                                Quote(file.path().string()), Quote(viewer.torn())),
                    "Use the model's 16-bit file.");
      }
      return file.View(std::move(view), "");
    }
  }
  return nullptr;
}

}  // namespace

namespace {

/// "is the unet of Stable Diffusion 1.x", "lacks 2 tensors of its vae, such as 'x'"; empty where
/// nothing is known.
std::string WhatItIs(const Checkpoint& file, std::string_view expected) {
  const Anatomy anatomy = Examine(file);
  if (anatomy.part != nullptr && anatomy.components.front().missing.empty()) {
    return fmt::format("is a {}", anatomy.part->title);
  }
  const ComponentAnatomy* same = anatomy.FindComponent(expected);
  std::string title;
  if (anatomy.architecture != nullptr) title = anatomy.architecture->title;
  if (anatomy.part != nullptr) title = anatomy.part->title;
  if (title.empty()) return {};
  std::vector<std::string> names;
  for (const ComponentAnatomy& component : anatomy.components) {
    if (component.kind != ComponentKind::kOther) names.push_back(component.name);
  }
  std::string words = names.size() == 1 ? fmt::format("is the {} of {}", names.front(), title)
                                        : fmt::format("is {} ({})", title, fmt::join(names, ", "));
  if (same != nullptr && !same->missing.empty()) {
    words += fmt::format(" and lacks {}", Quote(same->missing.front()));
    if (same->missing.size() > 1) {
      words += fmt::format(" and {} more", FormatCount(same->missing.size() - 1));
    }
  }
  return words;
}

}  // namespace

bool IsComponent(const Checkpoint& file, const ComponentRule& component) {
  return TryComponent(file, component, true) != nullptr;
}

std::shared_ptr<const Checkpoint> LocalView(const Checkpoint& file,
                                            const ComponentRule& component) {
  return TryComponent(file, component, false);
}

std::shared_ptr<const Checkpoint> AsComponent(const Checkpoint& file,
                                              const ComponentRule& component) {
  if (auto view = TryComponent(file, component, true)) return view;
  const std::string what = WhatItIs(file, component.name);
  throw Error(ErrorCode::kMismatch,
              fmt::format("{} is not a complete {}{}", Quote(file.path().string()), component.name,
                          what.empty() ? "" : fmt::format(": it {}", what)),
              what.empty() ? "'weightsmith info' says what it is." : "");
}

}  // namespace weightsmith::internal
