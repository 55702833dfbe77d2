// A recipe file as a tree, the same for YAML and JSON: scalars keep their text, and every part
// keeps its place.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recipes/diagnostic.h"

namespace weightsmith::internal {

struct SourceNode {
  enum class Type { kNull, kScalar, kList, kMap };

  Type type = Type::kNull;
  SourcePlace place;
  std::string text;               ///< of a scalar, quotes and escapes undone
  bool plain = false;             ///< a scalar without quotes: may be a number or a boolean
  bool flow = false;              ///< a YAML mapping or list in brackets
  bool implicit = false;          ///< a null that is not written: nothing follows the colon
  std::vector<SourceNode> keys;   ///< of a mapping: scalars, parallel to items
  std::vector<SourceNode> items;  ///< of a list, or the values of a mapping

  bool scalar() const { return type == Type::kScalar; }
  bool list() const { return type == Type::kList; }
  bool map() const { return type == Type::kMap; }

  /// The value of a key; null where the mapping has none (or this is not a mapping).
  const SourceNode* Find(std::string_view key) const;
  /// Nodes in the tree, this one included.
  std::size_t Count() const;
};

/// Stands for a value whose problem is reported already: nothing further is said of it.
SourceNode ReportedNode(const SourcePlace& place);
bool IsReported(const SourceNode& node);

/// "a mapping", "a list", "nothing", "the text 'x'": what a message says was found.
std::string Describe(const SourceNode& node);

/// Reads a text as JSON, when its name ends with .json or its first byte is '{', else as YAML.
/// Duplicate keys, YAML tags, merge keys, several documents, more than 10,000 nodes by alias, and
/// text that is not UTF-8 are errors; nothing is returned then.
std::optional<SourceNode> ReadSource(const std::shared_ptr<const SourceText>& source,
                                     Diagnostics& diagnostics);

/// The value of an option of the command line, in YAML; an empty text is a null.
SourceNode ReadOption(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics);

}  // namespace weightsmith::internal
