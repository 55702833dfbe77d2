// A tree as text again, so that reading the text gives the same tree.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "recipes/source/source_node.h"

namespace weightsmith::internal {

/// YAML: mappings and lists that are `flow` in brackets, texts that could be misread in quotes.
std::string WriteYaml(const SourceNode& tree);

/// JSON: mappings and lists that are `flow` on one line, every text in quotes.
std::string WriteJson(const SourceNode& tree);

/// A double-quoted scalar, which YAML reads as JSON does.
std::string YamlQuoted(std::string_view text);

/// YAML on one line, at most `limit` bytes of it: for messages that show what to write.
std::string FlowText(const SourceNode& tree, std::size_t limit);

}  // namespace weightsmith::internal
