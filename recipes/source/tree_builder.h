// Builds a SourceNode from the events of a parser, and finds what neither parser refuses by itself:
// duplicate keys, keys that are not words, nesting without end.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "recipes/diagnostic.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

class TreeBuilder {
 public:
  explicit TreeBuilder(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  /// A finished node: a scalar, a null, or a copy.
  void Add(SourceNode node);
  /// Opens a mapping or list; false where it is nested too deeply.
  bool Open(SourceNode node);
  /// Closes the innermost open node and adds it to its parent; returns it as it stands there.
  const SourceNode& Close();

  /// The whole tree; nothing when no event came.
  std::optional<SourceNode> Take() { return std::move(root_); }

 private:
  struct Frame {
    SourceNode node;
    std::map<std::string, std::size_t> seen;                 ///< keys, by name
    std::vector<std::pair<std::size_t, std::size_t>> twice;  ///< a key, and the first of its name
  };

  const SourceNode& Attach(SourceNode node);
  void CheckKey(Frame& frame, const SourceNode& key);
  /// Of a mapping that is no longer open.
  void ReportTwice(const Frame& frame);
  std::string AdviceForTwice(const SourceNode& map, std::size_t first, std::size_t second) const;

  Diagnostics& diagnostics_;
  std::vector<Frame> open_;
  std::optional<SourceNode> root_;
};

}  // namespace weightsmith::internal
