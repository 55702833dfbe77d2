// Takes values out of a recipe's tree and reports what is wrong with them. Everything returns
// nothing after it has reported a problem.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "merge/expression/places.h"
#include "recipes/diagnostic.h"
#include "recipes/parser/variables.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

/// A key of a mapping that is unknown, and the known one that was meant by it.
struct MeantKey {
  std::size_t index = 0;  ///< in the mapping
  std::string name;
};

/// The mapping with the keys that were meant, so that the rest of it is read as if they had been
/// written. Of "alpha:0.3", which is a key alone, nothing further is said.
SourceNode WithMeantKeys(const SourceNode& map, const std::vector<MeantKey>& meant);

/// What rows have as values.
struct RowForm {
  std::string_view takes = "one word";
  bool (*is_map)(const SourceNode&) = nullptr;  ///< whether a mapping is one
};

class Reader {
 public:
  Reader(Diagnostics& diagnostics, Variables& variables)
      : diagnostics_(diagnostics), variables_(variables) {}

  Diagnostics& diagnostics() { return diagnostics_; }
  Variables& variables() { return variables_; }
  const Variables& variables() const { return variables_; }

  // `what` begins the message: "step 'mix': 'alpha'".
  bool IsMap(const SourceNode& node, std::string_view what, std::string_view advice = {});
  bool IsList(const SourceNode& node, std::string_view what, std::string_view advice = {});
  std::optional<std::string> Text(const SourceNode& node, std::string_view what);
  /// A regular expression (RE2), as text.
  std::optional<std::string> Regex(const SourceNode& node, std::string_view what);
  std::optional<double> Number(const SourceNode& node, std::string_view what);
  std::optional<bool> Boolean(const SourceNode& node, std::string_view what);
  /// One of some words; returns its index.
  std::optional<std::size_t> Word(const SourceNode& node, std::string_view what,
                                  std::span<const std::string> words, std::string_view advice = {});
  /// A path with its variables, from `folder` where it is relative.
  std::optional<std::filesystem::path> Path(const SourceNode& node, std::string_view what,
                                            const std::filesystem::path& folder);
  /// Reports every key of `map` that is not in `known`; returns the known keys that were probably
  /// meant, so that they are not reported as missing.
  std::vector<MeantKey> CheckKeys(const SourceNode& map, std::span<const std::string> known,
                                  std::string_view what);

  /// Reports entries that belong below one of `known` that is empty, and stand beside it.
  bool HasStrayEntries(const SourceNode& map, std::span<const std::string> known);

  /// The selectors of a mapping of rows, with their values; a row that is wrong is left out.
  std::vector<std::pair<Selector, const SourceNode*>> Rows(const SourceNode& map,
                                                           std::string_view what,
                                                           const RowForm& form = {});

  /// A value everywhere, or a mapping of rows: `read(node)` gives a row's std::optional<T>.
  template <class T, class Read>
  std::optional<PlaceMap<T>> ByPlace(const SourceNode& node, std::string_view what, Read read) {
    if (!node.map()) {
      std::optional<T> value = read(node);
      if (!value) return std::nullopt;
      return PlaceMap<T>(std::move(*value));
    }
    std::vector<PlaceRow<T>> rows;
    for (auto& [selector, value_node] : Rows(node, what)) {
      std::optional<T> value = read(*value_node);
      if (value) rows.push_back({std::move(selector), std::move(*value)});
    }
    return PlaceMap<T>(std::move(rows));
  }

 private:
  std::string KeyAdvice(const SourceNode& map, std::size_t index, const std::string& meant) const;

  Diagnostics& diagnostics_;
  Variables& variables_;
};

}  // namespace weightsmith::internal
