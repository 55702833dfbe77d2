#include "merge/adapters/made_for.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/model/naming.h"
#include "merge/adapters/alias_table.h"

namespace weightsmith::internal {
namespace {

/// Rows and columns of a module's weight as a matrix.
struct Sizes {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
};

/// "model.layers.0.mlp.up_proj" behind whatever wrappers stand before it, flattened.
std::string ModuleOfStem(std::string_view stem) {
  stem.remove_prefix(StemNamingOf(stem).prefix.size());
  for (const std::string_view wrapper : {"base_model.model.", "diffusion_model."}) {
    if (stem.starts_with(wrapper)) stem.remove_prefix(wrapper.size());
  }
  std::string flat = FlatName(stem);
  while (flat.ends_with('_')) flat.pop_back();  // that some files have too many
  return flat;
}

Sizes SizesOf(const Shape& shape) {
  Sizes sizes{shape[0], 1};
  for (std::size_t i = 1; i < shape.size(); ++i) sizes.columns *= shape[i];
  return sizes;
}

std::string_view WithoutEnd(std::string_view name) {
  for (const std::string_view end : {".weight", "_weight"}) {
    if (name.ends_with(end)) return name.substr(0, name.size() - end.size());
  }
  return {};
}

using KnownModules = std::unordered_map<std::string, std::vector<Sizes>>;

/// Of all components, in both namings.
KnownModules ModulesOf(const ArchitectureRow& row) {
  KnownModules known;
  for (const ComponentRule& component : row.components()) {
    if (component.kind == ComponentKind::kVae) continue;
    const Naming* const naming = NamingOf(component);
    for (const TensorRule& rule : component.tensors) {
      if (rule.shape.empty()) continue;
      if (const auto module = WithoutEnd(rule.name); !module.empty()) {
        known[FlatName(module)].push_back(SizesOf(rule.shape));
      }
      if (naming == nullptr) continue;
      for (const Placement& placement : PlaceIn(*naming, rule, component)) {
        const auto module = WithoutEnd(placement.name);
        if (module.empty() || placement.shape.empty()) continue;
        known[FlatName(module)].push_back(SizesOf(placement.shape));
      }
    }
  }
  return known;
}

/// Whether factors of a low rank fit a matrix; true of families without such.
bool Fits(const AdapterModule& module, const Sizes& sizes) {
  const auto down = module.shapes.find(AdapterRole::kDown);
  const auto up = module.shapes.find(AdapterRole::kUp);
  if (down == module.shapes.end() || up == module.shapes.end()) return true;
  if (down->second.empty() || up->second.empty()) return false;
  const bool core = module.shapes.contains(AdapterRole::kMid);
  return up->second[0] == sizes.rows && (core || SizesOf(down->second).columns == sizes.columns);
}

std::size_t CountFitting(const std::vector<std::pair<std::string, const AdapterModule*>>& modules,
                         const KnownModules& known, bool any_size) {
  std::size_t count = 0;
  for (const auto& [name, module] : modules) {
    const auto found = known.find(name);
    if (found == known.end()) continue;
    const auto fits = [&fitted = *module](const Sizes& sizes) { return Fits(fitted, sizes); };
    count += any_size || std::ranges::any_of(found->second, fits) ? 1 : 0;
  }
  return count;
}

MadeFor Tell(const Adapter& adapter, bool whatever_sizes) {
  std::vector<std::pair<std::string, const AdapterModule*>> modules;
  for (const AdapterModule& module : adapter.modules) {
    modules.emplace_back(ModuleOfStem(module.stem), &module);
  }
  MadeFor best;
  for (const Architecture* architecture : Architectures()) {
    const bool any_size = whatever_sizes || static_cast<bool>(architecture->fit);
    for (const ArchitectureRow& row : architecture->rows) {
      if (row.scale != "full") continue;
      const std::size_t count = CountFitting(modules, ModulesOf(row), any_size);
      if (count == 0 || count < best.modules) continue;
      if (count > best.modules) best = {{}, count};
      if (best.architectures.empty() || best.architectures.back() != architecture) {
        best.architectures.push_back(architecture);
      }
    }
  }
  if (2 * best.modules < modules.size()) return {};
  return best;
}

}  // namespace

MadeFor TellMadeFor(const Adapter& adapter) {
  return Tell(adapter, false);
}

std::vector<const Architecture*> NamedLike(const Adapter& adapter) {
  return Tell(adapter, true).architectures;
}

}  // namespace weightsmith::internal
