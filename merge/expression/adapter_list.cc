#include "merge/expression/adapter_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "merge/expression/places.h"

namespace weightsmith::internal {
namespace {

std::vector<std::size_t> Range(std::size_t first, std::size_t last) {
  std::vector<std::size_t> range;
  for (std::size_t i = first; i <= last; ++i) range.push_back(i);
  return range;
}

bool IsFourLevels(std::string_view architecture) {
  return architecture == "sd1" || architecture == "sd2";
}

/// The names of a list's places, in order; empty where the length does not fit.
std::vector<std::string> PlacesOf(std::string_view architecture, std::size_t length) {
  std::vector<std::size_t> in;
  std::vector<std::size_t> out;
  if (length == 26) {
    in = out = Range(0, 11);
  } else if (length == 17) {
    in = {1, 2, 4, 5, 7, 8};
    out = Range(3, 11);
  } else if (length == 20) {
    in = out = Range(0, 8);
  } else if (length == 12) {
    in = {4, 5, 7, 8};
    out = Range(0, 5);
  }
  std::vector<std::string> names;
  if (architecture == "flux1") {
    names = {"CLIP", "T5", "IN"};
    for (const std::size_t i : Range(0, 18)) names.push_back(fmt::format("D{}", i));
    for (const std::size_t i : Range(0, 37)) names.push_back(fmt::format("S{}", i));
    names.emplace_back("OUT");
    return names;
  }
  names.emplace_back("BASE");
  for (const std::size_t i : in) names.push_back(fmt::format("IN{}", i));
  names.emplace_back("M");
  for (const std::size_t i : out) names.push_back(fmt::format("OUT{}", i));
  return names;
}

/// The name of a tensor's place; empty outside all blocks.
std::string NameOf(const TensorPlace& place) {
  const bool flux = place.architecture == "flux1";
  if (place.kind == ComponentKind::kText) {
    if (!flux) return "BASE";
    return place.component == "t5xxl" ? "T5" : "CLIP";
  }
  if (place.kind != ComponentKind::kDiffusion) return "";
  const std::string_view family = place.block.family;
  const std::uint32_t index = place.block.index.value_or(0);
  if (flux) {
    if (family == "double") return fmt::format("D{}", index);
    if (family == "single") return fmt::format("S{}", index);
    return family == "final" ? "OUT" : "IN";
  }
  if (family == "in") return fmt::format("IN{}", index);
  if (family == "out") return fmt::format("OUT{}", index);
  return family == "mid" ? "M" : "";
}

}  // namespace

std::vector<std::size_t> AdapterListLengths(std::string_view architecture) {
  if (IsFourLevels(architecture)) return {17, 26};
  if (architecture == "sdxl") return {12, 20, 26};
  if (architecture == "flux1") return {61};
  return {};
}

bool IsAdapterListLength(std::size_t length) {
  return length == 12 || length == 17 || length == 20 || length == 26 || length == 61;
}

double AdapterListAt(std::span<const double> numbers, const TensorPlace& place) {
  const std::string name = NameOf(place);
  if (name.empty()) return 1;
  const std::vector<std::string> places = PlacesOf(place.architecture, numbers.size());
  const auto found = std::ranges::find(places, name);
  return found == places.end() ? 0 : numbers[static_cast<std::size_t>(found - places.begin())];
}

double AdapterPresetAt(std::span<const double> numbers, const TensorPlace& place) {
  if (place.kind == ComponentKind::kText) return numbers.front();
  if (place.kind != ComponentKind::kDiffusion || NameOf(place).empty()) return 1;
  const std::span<const double> blocks = numbers.subspan(1);
  const auto at = static_cast<std::size_t>(place.depth * static_cast<double>(blocks.size()));
  return blocks[std::min(at, blocks.size() - 1)];
}

}  // namespace weightsmith::internal
