#include "recipes/parser/where.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kWhereExample = "Write {block: IN04-IN08, name: /attn2/, rank: 2}";

/// Reads one mapping.
class FilterReader {
 public:
  FilterReader(Reader& reader, std::string what) : reader_(reader), what_(std::move(what)) {}

  std::optional<TensorFilter> Read(const SourceNode& written) {
    if (!reader_.IsMap(written, what_, kWhereExample)) return std::nullopt;
    if (written.keys.empty()) {
      Report(written, fmt::format("{} is an empty mapping", what_), std::string(kWhereExample));
      return std::nullopt;
    }
    const SourceNode node =
        WithMeantKeys(written, reader_.CheckKeys(written, NamesOf(WhereKeys()), what_));
    TensorFilter filter;
    ForEach(node, "component", [&](const SourceNode& value, const std::string& what) {
      if (auto place = Component(value, what)) filter.components.push_back(*std::move(place));
    });
    ForEach(node, "block", [&](const SourceNode& value, const std::string& what) {
      if (auto place = BlockPlace(value, what)) filter.blocks.push_back(*std::move(place));
    });
    ForEach(node, "name", [&](const SourceNode& value, const std::string& what) {
      if (auto name = Name(value, what)) filter.names.push_back(*std::move(name));
    });
    ForEach(node, "rank", [&](const SourceNode& value, const std::string& what) {
      if (auto rank = Rank(value, what)) filter.ranks.push_back(*rank);
    });
    filter.larger_than = Elements(node, "larger_than");
    filter.smaller_than = Elements(node, "smaller_than");
    CheckSizes(node, filter);
    return whole_ ? std::optional(std::move(filter)) : std::nullopt;
  }

 private:
  void Report(const SourceNode& node, std::string message, std::string advice) {
    whole_ = false;
    reader_.diagnostics().AddError(node.place, std::move(message), std::move(advice));
  }

  /// A value, or each of a list.
  template <class Body>
  void ForEach(const SourceNode& node, std::string_view key, Body&& body) {
    const SourceNode* const value = node.Find(key);
    if (value == nullptr) return;
    const std::string what = fmt::format("{}: '{}'", what_, key);
    if (!value->list()) return body(*value, what);
    if (value->items.empty()) {
      Report(*value, fmt::format("{} is an empty list", what), "Write what it is to be like.");
    }
    for (const SourceNode& item : value->items) body(item, what);
  }

  std::optional<Selector> Place(const SourceNode& node, const std::string& what) {
    const std::optional<std::string> text = reader_.Text(node, what);
    std::string problem;
    std::optional<Selector> selector = text ? Selector::Parse(*text, problem) : std::nullopt;
    if (text && !selector) Report(node, fmt::format("{}: {}", what, problem), "");
    whole_ = whole_ && selector;
    return selector;
  }

  std::optional<Selector> Component(const SourceNode& node, const std::string& what) {
    std::optional<Selector> place = Place(node, what);
    if (!place || place->specificity() == Specificity::kComponent) return place;
    const bool regex = place->specificity() == Specificity::kRegex;
    Report(node, fmt::format("{}: {} is no component", what, Quote(node.text)),
           fmt::format("Write {}: {}", regex ? "name" : "block", node.text));
    return std::nullopt;
  }

  std::optional<Selector> BlockPlace(const SourceNode& node, const std::string& what) {
    std::optional<Selector> place = Place(node, what);
    if (!place) return place;
    const Specificity is = place->specificity();
    if (is != Specificity::kComponent && is != Specificity::kRegex && is != Specificity::kDefault) {
      return place;
    }
    Report(node, fmt::format("{}: {} is no block", what, Quote(node.text)),
           is == Specificity::kDefault
               ? "Leave the key out for every block."
               : fmt::format("Write {}: {}", is == Specificity::kRegex ? "name" : "component",
                             node.text));
    return std::nullopt;
  }

  std::optional<Selector> Name(const SourceNode& node, const std::string& what) {
    const std::optional<std::string> text = reader_.Text(node, what);
    if (!text) return Unread<Selector>();
    if (text->empty()) {
      Report(node, fmt::format("{} is empty", what), "Write a step of the name, or a /regex/.");
      return std::nullopt;
    }
    const bool regex = text->size() > 1 && text->starts_with('/') && text->ends_with('/');
    std::string problem;
    auto selector = Selector::Parse(regex ? *text : "default:" + *text, problem);
    if (!selector) Report(node, fmt::format("{}: {}", what, problem), "");
    return selector;
  }

  std::optional<std::uint64_t> Rank(const SourceNode& node, const std::string& what) {
    const std::optional<double> rank = reader_.Number(node, what);
    if (!rank) return Unread<std::uint64_t>();
    constexpr double kMost = 16;
    if (*rank >= 0 && *rank <= kMost && *rank == std::floor(*rank)) {
      return static_cast<std::uint64_t>(*rank);
    }
    Report(node, fmt::format("{} is a number of dimensions, not {}", what, FormatNumber(*rank)),
           "Write 1 for biases and norms, 2 for matrices, 4 for convolutions.");
    return std::nullopt;
  }

  /// "500K", "1M": of elements, so that B is none of its units.
  std::optional<std::uint64_t> Elements(const SourceNode& node, std::string_view key) {
    const SourceNode* const value = node.Find(key);
    if (value == nullptr) return std::nullopt;
    const bool bytes = value->text.find_first_of("BbIi") != std::string::npos;
    if (value->scalar() && !bytes) {
      if (const auto count = ParseBytes(value->text)) return count;
    }
    whole_ = false;
    if (IsReported(*value)) return std::nullopt;
    Report(*value,
           fmt::format("{}: '{}' is a number of elements, not {}", what_, key, Describe(*value)),
           "Write a number, also with K, M or G behind it: 500K, 1M.");
    return std::nullopt;
  }

  void CheckSizes(const SourceNode& node, const TensorFilter& filter) {
    if (!filter.larger_than || !filter.smaller_than) return;
    if (*filter.smaller_than > *filter.larger_than + 1) return;
    Report(*node.Find("smaller_than"),
           fmt::format("{}: no tensor is larger than {} and smaller than {}", what_,
                       FormatCount(*filter.larger_than), FormatCount(*filter.smaller_than)),
           "Exchange the two, or leave one out.");
  }

  /// After something below has reported it.
  template <class T>
  std::optional<T> Unread() {
    whole_ = false;
    return std::nullopt;
  }

  Reader& reader_;
  std::string what_;
  bool whole_ = true;
};

}  // namespace

std::vector<TensorFilter> ReadWhere(Reader& reader, const SourceNode& node,
                                    const std::string& what) {
  std::vector<TensorFilter> filters;
  if (!node.list()) {
    if (auto filter = FilterReader(reader, what).Read(node)) filters.push_back(*std::move(filter));
    return filters;
  }
  if (node.items.empty()) {
    reader.diagnostics().AddError(node.place, fmt::format("{} is an empty list", what),
                                  std::string(kWhereExample));
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string item = fmt::format("{}[{}]", what, i + 1);
    auto filter = FilterReader(reader, item).Read(node.items[i]);
    if (filter) filters.push_back(*std::move(filter));
  }
  return filters;
}

}  // namespace weightsmith::internal
