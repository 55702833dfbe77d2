#include "merge/adapters/adapter_family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace weightsmith::internal {
namespace {

constexpr AdapterRole kModifiers[] = {AdapterRole::kAlpha,       AdapterRole::kScale,
                                      AdapterRole::kScalar,      AdapterRole::kDoraScale,
                                      AdapterRole::kMagnitude,   AdapterRole::kDiffBias,
                                      AdapterRole::kSavedWeight, AdapterRole::kSavedBias};

template <class Roles>
bool HasAll(const AdapterShapes& shapes, const Roles& roles) {
  return std::ranges::all_of(roles, [&](AdapterRole role) { return shapes.contains(role); });
}

template <class Roles>
bool HasAny(const AdapterShapes& shapes, const Roles& roles) {
  return std::ranges::any_of(roles, [&](AdapterRole role) { return shapes.contains(role); });
}

bool Knows(const AdapterFamily& family, const AdapterShapes& shapes, AdapterRole role) {
  const auto has = [role](const auto& roles) {
    return std::ranges::find(roles, role) != std::end(roles);
  };
  return has(kModifiers) || has(family.optional) ||
         std::ranges::any_of(family.forms, [&](const std::vector<AdapterRole>& form) {
           return has(form) && HasAll(shapes, form);
         });
}

}  // namespace

std::uint64_t ElementsOf(const AdapterShapes& shapes) {
  std::uint64_t elements = 0;
  for (const auto& [role, shape] : shapes) elements += ElementCount(shape).value_or(0);
  return elements;
}

std::uint64_t AxisOf(const AdapterShapes& shapes, AdapterRole role, std::size_t axis) {
  const auto found = shapes.find(role);
  return found == shapes.end() || axis >= found->second.size() ? 0 : found->second[axis];
}

MatrixSize SizeAsMatrix(const Shape& shape) {
  if (shape.empty()) return {1, 1};
  MatrixSize size{shape[0], 1};
  for (std::size_t i = 1; i < shape.size(); ++i) size.columns *= shape[i];
  return size;
}

const AdapterFamily* FamilyOf(const AdapterShapes& shapes) {
  const AdapterFamily* first = nullptr;
  for (const AdapterFamily* family : AdapterFamilies()) {
    if (!HasAny(shapes, family->known_by)) continue;
    if (family->accepts != nullptr && !family->accepts(shapes)) continue;
    if (first == nullptr || family->precedence < first->precedence) first = family;
  }
  return first;
}

std::optional<std::string> MissingIn(const AdapterFamily& family, const AdapterShapes& shapes) {
  std::vector<std::string> ways;
  for (const std::vector<AdapterRole>& form : family.forms) {
    if (HasAll(shapes, form)) return std::nullopt;
    std::vector<std::string_view> missing;
    for (const AdapterRole role : form) {
      if (!shapes.contains(role)) missing.push_back(ToString(role));
    }
    ways.push_back(fmt::format("{}", fmt::join(missing, " and ")));
  }
  std::ranges::sort(ways, {}, &std::string::size);
  ways.erase(std::unique(ways.begin(), ways.end()), ways.end());
  return fmt::format("{}", fmt::join(ways, ", or "));
}

std::vector<AdapterRole> ForeignIn(const AdapterFamily& family, const AdapterShapes& shapes) {
  std::vector<AdapterRole> foreign;
  for (const auto& [role, shape] : shapes) {
    if (!Knows(family, shapes, role)) foreign.push_back(role);
  }
  return foreign;
}

}  // namespace weightsmith::internal
