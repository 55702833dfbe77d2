#include "merge/plan/row_checker.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/model/monolithic_names.h"
#include "core/model/text_encoders.h"
#include "merge/expression/community_list.h"
#include "merge/expression/tensor_filter.h"

namespace weightsmith::internal {
namespace {

/// Each costs a look at all tensors, and the first say enough.
constexpr std::size_t kMostAdvised = 20;

bool AnyMatches(const Selector& selector, std::span<const TensorPlace> places) {
  return std::ranges::any_of(places,
                             [&](const TensorPlace& place) { return selector.Matches(place); });
}

/// Blocks of one family in one component.
struct Run {
  std::set<std::uint32_t> indices;  ///< empty: a block by itself
};

/// "IN00-IN11", "M00", "layer.0-27", "time".
std::string RunName(std::string_view family, const Run& run) {
  const std::string_view letters = CommunityLetters(family);
  if (run.indices.empty()) {
    return letters.empty() ? std::string(family) : fmt::format("{}00", letters);
  }
  const std::uint32_t first = *run.indices.begin();
  const std::uint32_t last = *run.indices.rbegin();
  if (letters.empty()) {
    return first == last ? fmt::format("{}.{}", family, first)
                         : fmt::format("{}.{}-{}", family, first, last);
  }
  return first == last ? fmt::format("{}{:02}", letters, first)
                       : fmt::format("{0}{1:02}-{0}{2:02}", letters, first, last);
}

struct ComponentPlaces {
  std::string name;  ///< "clip_l = te1"
  std::map<std::pair<int, std::string_view>, Run> runs;
};

/// "unet (IN00-IN11, M00, OUT00-OUT11, time, final), clip_l = te1 (embed, layer.0-11, final), vae
/// (encoder, decoder)".
std::string PlacesInWords(std::span<const TensorPlace> present,
                          std::span<const TensorPlace> declared) {
  std::vector<ComponentPlaces> components;
  for (const std::span<const TensorPlace> places : {declared, present}) {
    for (const TensorPlace& place : places) {
      if (place.kind == ComponentKind::kOther && place.component == "ema") continue;
      const std::string name = place.text_encoder == 0
                                   ? std::string(place.component)
                                   : fmt::format("{} = te{}", place.component, place.text_encoder);
      auto at = std::ranges::find(components, name, &ComponentPlaces::name);
      if (at == components.end()) at = components.insert(at, {name, {}});
      if (place.block.family.empty()) continue;
      Run& run = at->runs[{DepthOfFamily(place.block.family), place.block.family}];
      if (place.block.index) run.indices.insert(*place.block.index);
    }
  }
  std::vector<std::string> words;
  for (const ComponentPlaces& component : components) {
    std::vector<std::string> runs;
    for (const auto& [family, run] : component.runs) runs.push_back(RunName(family.second, run));
    words.push_back(runs.empty() ? component.name
                                 : fmt::format("{} ({})", component.name, fmt::join(runs, ", ")));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// `written`: what the recipe calls it.
std::string Said(const std::string& where, const Selector& selector, std::string_view written) {
  const std::string meant = MeantBlock(selector.text());
  return fmt::format("{}: no tensor is at '{}'{}", where, written,
                     meant.empty() ? "" : fmt::format(". Did you mean '{}'?", meant));
}

}  // namespace

RowChecker::RowChecker(std::span<const TensorPlace> present, const Architecture* architecture,
                       const ArchitectureRow* row, std::vector<std::string>& notes,
                       Problems& problems)
    : present_(present),
      architecture_(architecture),
      row_(row),
      notes_(&notes),
      problems_(&problems) {
  for (const TensorPlace& place : present_) {
    if (!place.block.index) continue;
    by_block_[{std::string(place.block.family), *place.block.index}].push_back(place);
  }
}

/// Whether a tensor of the result is at the row.
bool RowChecker::IsPresent(const Selector& selector) const {
  const std::optional<NumberedBlock> block = selector.OneBlock();
  if (!block) return AnyMatches(selector, present_);
  const auto places = by_block_.find(*block);
  return places != by_block_.end() && AnyMatches(selector, places->second);
}

void RowChecker::CheckRow(const Selector& selector, const std::string& where, bool supermerger) {
  if (selector.specificity() == Specificity::kDefault) return;
  if (supermerger && folded_.empty()) {
    for (const TensorPlace& place : present_) {
      if (const auto folded = AsSuperMerger(place)) folded_.push_back(*folded);
    }
  }
  if (supermerger ? AnyMatches(selector, folded_) : IsPresent(selector)) return;
  TellAbsent(selector, Said(where, selector, selector.text()));
}

void RowChecker::CheckName(const Selector& selector, const std::string& where) {
  if (IsPresent(selector)) return;
  TellAbsent(selector, Said(where, selector, WrittenName(selector)));
}

void RowChecker::TellAbsent(const Selector& selector, const std::string& said) {
  if (MayLack(selector)) {
    if (noted_.insert(said).second) notes_->push_back(said);
    return;
  }
  problems_->AddSentence(said, told_++ < kMostAdvised ? Advice(selector) : "");
}

/// Whether the architecture has the place, or it is not known that it has not.
bool RowChecker::MayLack(const Selector& selector) {
  const bool component = selector.specificity() == Specificity::kComponent;
  if (architecture_ == nullptr) return component;
  // Diffusion models have text encoders and VAEs, also where those are no part of the declaration.
  const bool diffusion = architecture_->kind == ModelKind::kDiffusion;
  if (component && selector.NamesKind()) return diffusion;
  Declare();
  return AnyMatches(selector, declared_);
}

std::string RowChecker::Advice(const Selector& selector) {
  Declare();
  if (const std::string segments = Segments(selector); !segments.empty()) {
    return fmt::format("Segments of the names there are {}.", segments);
  }
  if (places_.empty()) places_ = PlacesInWords(present_, declared_);
  return fmt::format("Places are {}.{}", places_, CountedFromZero(selector));
}

/// Of "IN12", where the last block is IN11.
std::string RowChecker::CountedFromZero(const Selector& selector) const {
  const std::optional<NumberedBlock> block = selector.OneBlock();
  const std::string_view letters = block ? CommunityLetters(block->first) : "";
  if (letters.empty()) return {};
  std::optional<std::uint32_t> last;
  for (const std::span<const TensorPlace> places :
       {present_, std::span(std::as_const(declared_))}) {
    for (const TensorPlace& place : places) {
      if (place.block.family == block->first) last = std::max(last, place.block.index);
    }
  }
  if (!last || block->second <= *last) return {};
  return fmt::format(" Blocks are counted from 0: {0}00 to {0}{1:02}.", letters, *last);
}

/// Of "IN04:attn9", what may stand behind the colon instead; empty where the block is the fault.
std::string RowChecker::Segments(const Selector& selector) const {
  constexpr std::size_t kMost = 16;
  if (selector.specificity() != Specificity::kElement) return {};
  const Selector block = selector.WithoutElement();
  std::map<std::string_view, std::size_t> counts;
  std::size_t names = 0;
  for (const TensorPlace& place : present_) {
    if (!block.Matches(place)) continue;
    ++names;
    for (std::string_view rest = place.canonical; !rest.empty();) {
      const std::size_t end = std::min(rest.find('.'), rest.size());
      const std::string_view segment = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const bool number = segment.find_first_not_of("0123456789") == std::string_view::npos;
      if (!number && segment != "weight" && segment != "bias") ++counts[segment];
    }
  }
  // What all of them have does not distinguish them.
  std::vector<std::string_view> shown;
  for (const auto& [segment, count] : counts) {
    if (count < names) shown.push_back(segment);
  }
  const bool more = shown.size() > kMost;
  if (more) shown.resize(kMost);
  return fmt::format("{}{}", fmt::join(shown, ", "), more ? " …" : "");
}

void RowChecker::Declare() {
  if (row_ == nullptr || !rules_.empty()) return;
  rules_ = row_->components();
  std::size_t count = 0;
  for (const ComponentRule& rule : rules_) count += rule.tensors.size();
  names_.reserve(count);
  for (const ComponentRule& rule : rules_) {
    for (const TensorRule& tensor : rule.tensors) {
      names_.push_back(MonolithicName(rule, tensor.name, tensor.beside));
      declared_.push_back({names_.back(), rule.name, rule.kind,
                           TextEncoderNumber(rules_, rule.name), BlockOf(rule.kind, tensor.name), 0,
                           architecture_});
    }
  }
}

}  // namespace weightsmith::internal
