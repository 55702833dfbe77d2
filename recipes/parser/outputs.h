// Outputs: which step is written, to which file, in which form.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "recipes/parser/graph.h"
#include "recipes/parser/reader.h"
#include "recipes/parser/steps.h"
#include "recipes/recipe.h"

namespace weightsmith::internal {

/// An output whose operands are not looked up yet.
struct OutputDraft {
  RecipeOutput output;
  std::optional<SourcePlace> path_place;
  std::optional<OperandReference> model;  ///< nothing: left out
  std::map<std::string, OperandReference> components;
  bool unread = false;  ///< it is no mapping, which is reported
};

/// Whether the output's name promises what is written: a safetensors file, or a folder.
void CheckOutputName(const OutputDraft& draft, Diagnostics& diagnostics);

/// How messages call an output, and what one of this recipe may look like.
struct OutputWords {
  std::string what;
  std::string example;
};

OutputDraft ReadOutput(Reader& reader, StepReader& steps, const SourceNode& node,
                       const OutputWords& words, const std::filesystem::path& folder);

/// "f16", "f8_block128", "keep", or a mapping of places to them.
std::optional<PlaceMap<std::optional<StoredAs>>> ReadDType(Reader& reader, const SourceNode& node,
                                                           const std::string& what);

/// "nearest", "stochastic", "stochastic:7".
std::optional<Rounding> ReadRounding(Reader& reader, const SourceNode& node,
                                     const std::string& what);

/// The dtype that the caller sets, in YAML.
std::optional<PlaceMap<std::optional<StoredAs>>> ReadDTypeOption(Reader& reader,
                                                                 const std::string& value);

}  // namespace weightsmith::internal
