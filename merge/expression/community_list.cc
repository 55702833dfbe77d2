#include "merge/expression/community_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "merge/expression/adapter_list.h"
#include "merge/expression/places.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kUnet = 26;         ///< BASE, 12 in, 1 mid, 12 out
constexpr std::size_t kSdxl = 20;         ///< BASE, 9 in, 1 mid, 9 out
constexpr std::size_t kSdxlWithVae = 21;  ///< and the VAE
constexpr std::size_t kFlux = 61;         ///< CLIP, T5, in, 19 double, 38 single, out

bool IsUnet4(std::string_view architecture) {
  return architecture == "sd1" || architecture == "sd2";
}

std::optional<std::size_t> UnetPlace(const TensorPlace& place, std::size_t blocks) {
  const std::string_view family = place.block.family;
  const std::size_t index = place.block.index.value_or(0);
  if (place.kind != ComponentKind::kDiffusion) return 0;
  if (family == "time") return 1;
  if (family == "in" && index < blocks) return 1 + index;
  if (family == "mid") return 1 + blocks;
  if (family == "out" && index < blocks) return 2 + blocks + index;
  if (family == "final") return 1 + 2 * blocks;
  return 0;
}

std::optional<std::size_t> SdxlPlace(const TensorPlace& place, std::size_t length) {
  constexpr std::size_t kBlocks = 9;
  if (place.kind == ComponentKind::kVae) return length == kSdxlWithVae ? 20 : 0;
  std::size_t found = UnetPlace(place, kBlocks).value();
  if (place.kind == ComponentKind::kDiffusion && place.block.family == "label") found = 1;
  // Lists made for SD 1 give the nine blocks of each way by their own positions.
  return length == kUnet && found > kBlocks ? found + 3 : found;
}

std::optional<std::size_t> FluxPlace(const TensorPlace& place) {
  if (place.kind == ComponentKind::kVae) return std::nullopt;
  if (place.component == "clip_l") return 0;
  if (place.component == "t5xxl") return 1;
  const std::size_t index = place.block.index.value_or(0);
  if (place.block.family == "double") return 3 + index;
  if (place.block.family == "single") return 22 + index;
  if (place.block.family == "final") return 60;
  return 2;
}

}  // namespace

std::vector<std::size_t> ListLengths(std::string_view architecture) {
  if (IsUnet4(architecture)) return {kUnet};
  if (architecture == "sdxl") return {kSdxl, kSdxlWithVae, kUnet};
  if (architecture == "flux1") return {kFlux};
  return {};
}

bool IsListLength(std::size_t length) {
  return length == kUnet || length == kSdxl || length == kSdxlWithVae || length == kFlux;
}

std::string ListPlaceName(std::string_view architecture, std::size_t length, std::size_t place) {
  if (architecture == "flux1") {
    if (place < 3) return place == 0 ? "CLIP" : place == 1 ? "T5" : "IN";
    if (place == kFlux - 1) return "OUT";
    return place < 22 ? fmt::format("D{:02}", place - 3) : fmt::format("S{:02}", place - 22);
  }
  const std::size_t blocks = length == kUnet ? 12 : 9;
  if (place == 0) return "BASE";
  if (place <= blocks) return fmt::format("IN{:02}", place - 1);
  if (place == blocks + 1) return "M00";
  if (place < 2 * blocks + 2) return fmt::format("OUT{:02}", place - blocks - 2);
  return "VAE";
}

std::optional<std::size_t> ListPlaceOf(const TensorPlace& place, std::size_t length) {
  const bool merged = place.canonical.find("weight") != std::string_view::npos ||
                      place.canonical.find("bias") != std::string_view::npos;
  if (!merged) return std::nullopt;
  if (IsUnet4(place.architecture) && length == kUnet) return UnetPlace(place, 12);
  if (place.architecture == "sdxl") return SdxlPlace(place, length);
  if (place.architecture == "flux1" && length == kFlux) return FluxPlace(place);
  return std::nullopt;
}

bool CommunityList::Fits(std::string_view architecture) const {
  const std::vector<std::size_t> lengths = LengthsFor(architecture);
  return std::ranges::find(lengths, numbers.size()) != lengths.end();
}

std::vector<std::size_t> CommunityList::LengthsFor(std::string_view architecture) const {
  return adapter ? AdapterListLengths(architecture) : ListLengths(architecture);
}

std::optional<double> CommunityList::At(const TensorPlace& place) const {
  if (adapter && Fits(place.architecture)) return AdapterListAt(numbers, place);
  if (adapter) return resample ? std::optional(AdapterPresetAt(numbers, place)) : std::nullopt;
  if (Fits(place.architecture)) {
    const std::optional<std::size_t> found = ListPlaceOf(place, numbers.size());
    if (!found) return std::nullopt;
    return numbers[*found];
  }
  if (!resample) return std::nullopt;
  if (place.kind == ComponentKind::kText) return numbers.front();
  if (place.kind == ComponentKind::kVae) return std::nullopt;
  return Interpolate(std::span(numbers).subspan(1), place.depth);
}

std::optional<TensorPlace> AsSuperMerger(TensorPlace place) {
  const std::vector<std::size_t> lengths = ListLengths(place.architecture);
  if (lengths.empty()) return place;
  const auto found = ListPlaceOf(place, lengths.front());
  if (!found) return std::nullopt;
  const std::string name = ListPlaceName(place.architecture, lengths.front(), *found);
  if (name == "BASE") {
    place.kind = ComponentKind::kText;
    place.block = {};
  } else if (name == "IN" || name == "IN00") {
    place.block = {"in", 0};
  } else if (name == "OUT" || place.block.family == "final") {
    place.block = {"out", static_cast<std::uint32_t>((lengths.front() - 2) / 2 - 1)};
  }
  return place;
}

double Interpolate(std::span<const double> knots, double at) {
  if (knots.size() == 1) return knots.front();
  const double scaled = std::clamp(at, 0.0, 1.0) * static_cast<double>(knots.size() - 1);
  const auto left = std::min(static_cast<std::size_t>(scaled), knots.size() - 2);
  const double share = scaled - static_cast<double>(left);
  if (share == 0) return knots[left];
  return (1 - share) * knots[left] + share * knots[left + 1];
}

}  // namespace weightsmith::internal
