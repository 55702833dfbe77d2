#include "recipes/assembly.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/architecture_names.h"
#include "core/model/text_encoders.h"
#include "core/model/views/component_views.h"

namespace weightsmith::internal {
namespace {

/// The components of all architectures, diffusion models first, and how many text encoders one has.
struct KnownParts {
  std::set<std::pair<ComponentKind, std::string>> components;
  std::uint32_t encoders = 0;
};

const KnownParts& Known() {
  static const KnownParts known = [] {
    KnownParts found;
    for (const Architecture* architecture : Architectures()) {
      // Variants of an architecture differ in their diffusion models alone.
      const std::vector<ComponentRule> components = architecture->rows.front().components();
      for (const ComponentRule& component : components) {
        found.components.emplace(component.kind, component.name);
        found.encoders = std::max(found.encoders, TextEncoderNumber(components, component.name));
      }
    }
    return found;
  }();
  return known;
}

bool IsDiffusionModel(std::string_view part) {
  return Known().components.contains({ComponentKind::kBackbone, std::string(part)});
}

constexpr std::string_view kLooseParts[] = {"other", "ema"};

const Architecture& ArchitectureNamed(const std::string& id) {
  if (const Architecture* architecture = ArchitectureOf(id)) return *architecture;
  std::vector<std::string_view> known;
  for (const Architecture* architecture : Architectures()) known.push_back(architecture->id);
  throw Error(ErrorCode::kUsage,
              fmt::format("there is no architecture {}.{}", Quote(id),
                          DidYouMean(id, KnownArchitectureNames())),
              fmt::format("Architectures are {}.", fmt::join(known, ", ")));
}

/// The component that a part is called by.
const ComponentRule* Meant(const std::vector<ComponentRule>& components, std::string_view part) {
  const bool backbone = IsDiffusionModel(part);
  for (const ComponentRule& component : components) {
    if (component.name == part) return &component;
    if (backbone && component.kind == ComponentKind::kBackbone) return &component;
    const std::uint32_t number = TextEncoderNumber(components, component.name);
    if (number != 0 && part == fmt::format("te{}", number)) return &component;
  }
  return nullptr;
}

/// "unet, clip_l (te1), vae".
std::string PartsOf(const std::vector<ComponentRule>& components) {
  std::vector<std::string> parts;
  for (const ComponentRule& component : components) {
    const std::uint32_t number = TextEncoderNumber(components, component.name);
    parts.push_back(number == 0 ? component.name
                                : fmt::format("{} (te{})", component.name, number));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The row that most of the parts are of: a part of another is then told by its name.
const ArchitectureRow& RowOf(const Architecture& architecture, const PartFiles& files) {
  const ArchitectureRow* best = nullptr;
  std::size_t most = 0;
  for (const ArchitectureRow& row : architecture.rows) {
    const std::vector<ComponentRule> components = row.components();
    std::size_t fitting = 0;
    for (const auto& [part, file] : files) {
      const ComponentRule* component = Meant(components, part);
      if (component == nullptr) {
        throw Error(ErrorCode::kUsage, fmt::format("{} has no {}", architecture.id, part),
                    fmt::format("Its parts are {}.", PartsOf(components)));
      }
      fitting += IsComponent(*file, *component) ? 1 : 0;
    }
    if (best == nullptr || fitting > most) best = &row;
    most = std::max(most, fitting);
  }
  return *best;
}

}  // namespace

std::span<const std::string> PartNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [kind, name] : Known().components) all.push_back(name);
    for (std::uint32_t i = 1; i <= Known().encoders; ++i) all.push_back(fmt::format("te{}", i));
    return all;
  }();
  return names;
}
std::span<const std::string_view> LoosePartNames() {
  return kLooseParts;
}

bool IsLoosePart(std::string_view name) {
  return std::ranges::find(kLooseParts, name) != std::end(kLooseParts);
}

std::shared_ptr<const Checkpoint> Assembled(const std::string& architecture,
                                            const PartFiles& parts) {
  const Architecture& like = ArchitectureNamed(architecture);
  PartFiles components;
  std::vector<std::shared_ptr<const Checkpoint>> loose;
  for (const auto& [name, file] : parts) {
    if (IsLoosePart(name)) {
      loose.push_back(file);
    } else if (std::ranges::find(PartNames(), name) != PartNames().end()) {
      components[name] = file;
    } else {
      const std::vector<std::string> known(PartNames().begin(), PartNames().end());
      throw Error(ErrorCode::kUsage,
                  fmt::format("there is no part {}.{}", Quote(name), DidYouMean(name, known)),
                  fmt::format("Parts are {}, other and ema.", fmt::join(known, ", ")));
    }
  }
  if (components.empty()) throw Error(ErrorCode::kUsage, "no part is given.");
  const std::vector<ComponentRule> rules = RowOf(like, components).components();
  std::vector<std::shared_ptr<const Checkpoint>> whole;
  for (const auto& [part, file] : components)
    whole.push_back(AsComponent(*file, *Meant(rules, part)));
  whole.insert(whole.end(), loose.begin(), loose.end());
  return Checkpoint::Join(whole);
}

}  // namespace weightsmith::internal
