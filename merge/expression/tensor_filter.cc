#include "merge/expression/tensor_filter.h"

#include <algorithm>

namespace weightsmith::internal {
namespace {

bool MatchesOne(const std::vector<Selector>& selectors, const TensorPlace& place) {
  return selectors.empty() || std::ranges::any_of(selectors, [&](const Selector& selector) {
           return selector.Matches(place);
         });
}

bool OneNamesVae(const std::vector<Selector>& selectors) {
  return std::ranges::any_of(selectors, &Selector::NamesVae);
}

}  // namespace

bool TensorFilter::Matches(const TensorPlace& place, const Shape& shape) const {
  if (!MatchesOne(components, place) || !MatchesOne(blocks, place) || !MatchesOne(names, place)) {
    return false;
  }
  if (!ranks.empty() && std::ranges::find(ranks, shape.size()) == ranks.end()) return false;
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  return (!larger_than || elements > *larger_than) && (!smaller_than || elements < *smaller_than);
}

bool TensorFilter::NamesVae() const {
  return OneNamesVae(components) || OneNamesVae(blocks) || OneNamesVae(names);
}

std::string_view WrittenName(const Selector& selector) {
  constexpr std::string_view kEverywhere = "default:";
  std::string_view text = selector.text();
  if (text.starts_with(kEverywhere)) text.remove_prefix(kEverywhere.size());
  return text;
}

bool AnyMatches(const std::vector<TensorFilter>& filters, const TensorPlace& place,
                const Shape& shape) {
  return std::ranges::any_of(
      filters, [&](const TensorFilter& filter) { return filter.Matches(place, shape); });
}

bool AnyNamesVae(const std::vector<TensorFilter>& filters) {
  return std::ranges::any_of(filters, &TensorFilter::NamesVae);
}

}  // namespace weightsmith::internal
