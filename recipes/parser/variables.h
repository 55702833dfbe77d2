// The variables of a recipe: `$x` for a whole value, `{x}` inside a path or title.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "recipes/diagnostic.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

class Variables {
 public:
  explicit Variables(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  /// A variable of the recipe or of a table that it includes.
  void Declare(const SourceNode& key, const SourceNode& value, bool included);
  /// A name of a model or step, which people may take for a variable.
  void Mention(const std::string& name) { names_.insert(name); }
  const std::set<std::string>& mentioned() const { return names_; }
  /// The value that the caller sets, in YAML. Comes after all declarations.
  void Override(const std::string& name, const std::string& value);

  /// Puts values in place of every `$x` in the tree, keys excepted.
  void Substitute(SourceNode& tree);
  /// `text` with values in place of every `{x}`; `{{` and `}}` stand for a brace.
  std::string Expand(std::string_view text, const SourcePlace& place);

  bool Knows(const std::string& name) const { return values_.contains(name); }
  std::map<std::string, SourceNode> Used() const;
  /// Warns of each that the recipe itself declares and nothing uses.
  void WarnOfUnused() const;

 private:
  struct Variable {
    SourceNode value;
    SourcePlace place;
    bool included = false;
  };

  /// `example` is a value that it may have where it is used.
  const SourceNode* Use(const std::string& name, const SourcePlace& place,
                        std::string_view example);
  bool CheckValue(const SourceNode& value, std::string_view name);
  std::optional<std::string> Dollared(std::string_view text) const;

  Diagnostics& diagnostics_;
  std::map<std::string, Variable> values_;
  std::set<std::string> used_;
  std::set<std::string> names_;  ///< of models and steps
};

}  // namespace weightsmith::internal
