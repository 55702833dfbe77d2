// Lists of models and of adapters, in the words of anybody: as a text, as a mapping, without
// brackets, or under another name.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recipes/parser/reader.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

struct Operator;

/// The words of "photo, anime".
std::vector<std::string> WordsOf(std::string_view text);

/// The list of adapters that a mapping or a word in its place stands for.
std::string AdaptersAdvice(const SourceNode& node);

/// "[photo, anime]", or with weights "[{model: photo, weight: 0.5}, …]", of a list, a text or a
/// mapping of names and of `weights`, which may be null; empty where they hold no names.
std::string ListInWords(const SourceNode& models, const SourceNode* weights, bool weighted);

/// Reports the names or the weights of an operator's list where they are keys of their own, as
/// others write them, and returns the step without them.
std::optional<SourceNode> WithListOf(Reader& reader, const SourceNode& node, const Operator& op,
                                     const std::string& called);

/// A step of which braces made keys of the entries of lists without brackets, as in {of: photo,
/// anime}: the same with lists.
struct Gathered {
  SourceNode step;
  std::vector<std::size_t> lists;  ///< among the keys of the step
};
Gathered GatherLists(const SourceNode& step, const Reader& reader);

/// Reports the lists that were gathered. `reported`: what is wrong with those of models is told.
void ReportGathered(Reader& reader, Gathered& gathered, const Operator& op,
                    const std::string& called, bool reported);

/// Reports names of models that stand in a list or as keys without a value, in the place of
/// operands, and returns the step with those.
std::optional<SourceNode> WithOperandNames(Reader& reader, const SourceNode& step,
                                           const Operator& op, const std::string& called);

/// Whether an entry of a list is "NAME: 0.6".
bool IsPair(const SourceNode& entry, const std::vector<std::string>& known);

}  // namespace weightsmith::internal
