#include "recipes/parser/outputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>

#include "core/base/text.h"
#include "core/io/output_name.h"
#include "recipes/parser/advice.h"
#include "recipes/parser/examples.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kPrefix = "modelspec.";

std::string MetadataKey(const std::string& key) {
  const auto words = ModelspecWords();
  return std::ranges::find(words, key) == words.end() ? key : std::string(kPrefix) + key;
}

/// Numbers and booleans as they were written; a list as "a, b".
std::optional<std::string> MetadataValue(Reader& reader, const SourceNode& node,
                                         const std::string& what) {
  if (!node.list()) return reader.Text(node, what);
  std::string joined;
  for (const SourceNode& item : node.items) {
    const auto text = reader.Text(item, what);
    if (!text) return std::nullopt;
    if (!joined.empty()) joined += ", ";
    joined += *text;
  }
  return joined;
}

void ReadMetadata(Reader& reader, const SourceNode& node, const std::string& what,
                  RecipeOutput& output) {
  if (node.scalar() && node.text == "keep") {
    output.keep_metadata = true;
    return;
  }
  if (!reader.IsMap(node, what, "Write keys and texts: {title: …, author: …}")) return;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const SourceNode& written = node.keys[i];
    const std::string key = MetadataKey(written.text);
    const std::string item = fmt::format("{}: {}", what, Quote(written.text));
    if (key == "format" || key.starts_with("weightsmith.")) {
      reader.diagnostics().AddError(written.place,
                                    fmt::format("{} is written by the program itself", item),
                                    "Remove this key.");
      continue;
    }
    auto value = MetadataValue(reader, node.items[i], item);
    if (!value) continue;
    if (key == "modelspec.title") {
      *value = reader.variables().Expand(*value, node.items[i].place);
    }
    if (!output.metadata.emplace(key, std::move(*value)).second) {
      reader.diagnostics().AddError(
          written.place,
          fmt::format("{} is there twice, with the prefix {} and without", item, kPrefix),
          "Remove one of the two.");
    }
  }
}

void ReadLayout(Reader& reader, const SourceNode& node, const std::string& what,
                RecipeOutput& output) {
  const std::vector<std::string> words = LayoutWords();
  const auto index = reader.Word(node, what + ": 'layout'", words);
  if (!index) return;
  output.layout = OutputLayoutByWord(words[*index]).value();
  if (output.layout != OutputLayout::kDiffusers || !output.max_shard_size) return;
  reader.diagnostics().AddError(
      node.place,
      fmt::format("{}: 'layout: diffusers' and 'max_shard_size' exclude each other", what),
      "Remove one of the two: a pipeline of diffusers has one file for each component.");
}

void ReadComponents(Reader& reader, StepReader& steps, const SourceNode& node,
                    const std::string& what, OutputDraft& draft) {
  if (!reader.IsMap(node, what, "Write {vae: NAME}")) return;
  const auto is_step = [](const SourceNode& value) { return value.Find("op") != nullptr; };
  for (auto& [selector, value] : reader.Rows(node, what, {"a model", is_step})) {
    if (selector.specificity() != Specificity::kComponent) {
      reader.diagnostics().AddError(
          value->place, fmt::format("{}: {} is not a component", what, Quote(selector.text())),
          fmt::format("Components are {}.", fmt::join(ComponentWords(), ", ")));
      continue;
    }
    const std::string item = fmt::format("{}: '{}'", what, selector.text());
    draft.components.emplace(selector.text(),
                             steps.Operand(*value, "output." + selector.text(), item));
  }
}

std::optional<std::uint64_t> ReadSize(Reader& reader, const SourceNode& node,
                                      const std::string& what) {
  if (node.scalar()) {
    const auto size = ParseBytes(node.text);
    if (size && *size > 0) return size;
  }
  reader.diagnostics().AddError(node.place,
                                fmt::format("{} is a size, not {}", what, Describe(node)),
                                "Write a number and a unit, such as 5GB, 500MB or 2GiB.");
  return std::nullopt;
}

void ReadFileForm(Reader& reader, const SourceNode& node, const std::string& what,
                  const std::filesystem::path& folder, RecipeOutput& output) {
  if (const SourceNode* path = node.Find("path")) {
    output.path = reader.Path(*path, what + ": 'path'", folder);
  }
  if (const SourceNode* split = node.Find("split")) {
    output.split = reader.Boolean(*split, what + ": 'split'").value_or(false);
  }
  if (const SourceNode* size = node.Find("max_shard_size")) {
    output.max_shard_size = ReadSize(reader, *size, what + ": 'max_shard_size'");
    if (output.split) {
      reader.diagnostics().AddError(
          size->place, fmt::format("{}: 'split' and 'max_shard_size' exclude each other", what),
          "Remove one of the two: split makes one file for each component.");
    }
  }
  if (const SourceNode* files = node.Find("files_from")) {
    output.files_from = reader.Path(*files, what + ": 'files_from'", folder);
  }
}

/// Whether an output is written as "mix: mix.safetensors", or as "mix: {path: …}".
bool IsNamedOutput(const SourceNode& node) {
  if (!node.map() || node.keys.size() != 1 || node.items[0].list()) return false;
  const std::string& key = node.keys[0].text;
  const auto keys = NamesOf(OutputKeys());
  const auto free = [](const std::string&) { return true; };
  return std::ranges::find(keys, key) == keys.end() && !NearestName(key, keys) &&
         !KeyMeant(key, keys, free) && node.items[0].type != SourceNode::Type::kNull;
}

}  // namespace

std::optional<PlaceMap<std::optional<StoredAs>>> ReadDType(Reader& reader, const SourceNode& node,
                                                           const std::string& what) {
  using Choice = std::optional<StoredAs>;
  const auto read = [&](const SourceNode& value) -> std::optional<Choice> {
    const Choice stored = value.scalar() ? StoredAsByWord(value.text) : std::nullopt;
    if (stored && Info(stored->dtype).has_codec) return stored;
    if (value.scalar() && value.text == "keep") return std::optional<Choice>(std::in_place);
    std::vector<std::string> known{"keep"};
    for (const std::string_view word : StorableWords()) known.emplace_back(word);
    reader.diagnostics().AddError(
        value.place,
        fmt::format("{}: {} is not a dtype that can be written{}", what, Describe(value),
                    value.scalar() ? Hint(value.text, known) : ""),
        fmt::format("Write {}, or a mapping of places to them.", Alternatives(known)));
    return std::nullopt;
  };
  return reader.ByPlace<Choice>(node, what, read);
}

std::optional<Rounding> ReadRounding(Reader& reader, const SourceNode& node,
                                     const std::string& what) {
  const auto rounding = node.scalar() ? RoundingByWord(node.text) : std::nullopt;
  if (!rounding) {
    reader.diagnostics().AddError(
        node.place,
        fmt::format("{} is nearest, stochastic or stochastic:SEED, not {}", what, Describe(node)),
        "A seed is a whole number: stochastic:1");
  }
  return rounding;
}

std::optional<PlaceMap<std::optional<StoredAs>>> ReadDTypeOption(Reader& reader,
                                                                 const std::string& value) {
  const auto source =
      std::make_shared<const SourceText>(SourceText{"dtype", value, Setting::kDType});
  return ReadDType(reader, ReadOption(source, reader.diagnostics()), "dtype");
}

void CheckOutputName(const OutputDraft& draft, Diagnostics& diagnostics) {
  const RecipeOutput& output = draft.output;
  if (!output.path) return;
  const SourcePlace place = draft.path_place.value_or(output.place);
  const bool file = FormOf(output.layout, output.split, *output.path) == FileForm::kOne;
  // As it is written in the recipe: below its folder.
  const SourcePlace origin = OriginOf(place);
  const bool written = origin.source != nullptr && origin.source->setting == Setting::kNone;
  const std::filesystem::path folder =
      written ? std::filesystem::path(origin.source->name).parent_path() : "";
  const auto fault = FaultOfOutputName(WithoutFolder(*output.path, folder),
                                       file ? OutputKind::kFile : OutputKind::kFolder);
  if (fault) {
    diagnostics.AddError(place, fault->problem, fault->advice);
    return;
  }
  // A name on the command line is nothing but a name.
  if (origin.source != nullptr && !written) return;
  const std::string name = output.path->filename().string();
  const std::size_t dollar = name.find('$');
  if (dollar == std::string::npos || dollar + 1 == name.size() ||
      std::isalpha(static_cast<unsigned char>(name[dollar + 1])) == 0) {
    return;
  }
  diagnostics.AddWarning(
      place, fmt::format("{} has a $ in it, and there is no variable of that name", Quote(name)),
      "Where a value is meant, declare it under 'vars' and write {NAME}.");
}

OutputDraft ReadOutput(Reader& reader, StepReader& steps, const SourceNode& written,
                       const OutputWords& words, const std::filesystem::path& folder) {
  const std::string& what = words.what;
  OutputDraft draft;
  draft.output.place = written.place;
  std::string example = words.example;
  if (const std::size_t path = example.find("path: "); written.scalar() && !written.text.empty()) {
    example = fmt::format("{}path: {}}}", example.substr(0, path), written.text);
  }
  if (IsNamedOutput(written)) {
    const std::string meant = NamedOutput(written.keys[0], written.items[0]);
    reader.diagnostics().AddError(
        written.keys[0].place, fmt::format("{} has no key {}", what, Quote(written.keys[0].text)),
        fmt::format("Write {}{}", what == "output" ? "output: " : "", meant));
    draft.unread = true;
    return draft;
  }
  if (!reader.IsMap(written, what,
                    written.list() && !written.items.empty()
                        ? OutputsAdvice(written)
                        : fmt::format("Write {}: {}", what, example))) {
    draft.unread = true;
    return draft;
  }
  const SourceNode node =
      WithMeantKeys(written, reader.CheckKeys(written, NamesOf(OutputKeys()), what));
  if (const SourceNode* path = node.Find("path")) draft.path_place = path->place;
  if (const SourceNode* model = node.Find("model")) {
    draft.model = steps.Operand(*model, "output", what + ": 'model'");
  }
  ReadFileForm(reader, node, what, folder, draft.output);
  if (const SourceNode* components = node.Find("components")) {
    ReadComponents(reader, steps, *components, what + ": 'components'", draft);
  }
  if (const SourceNode* dtype = node.Find("dtype")) {
    const auto read = ReadDType(reader, *dtype, what + ": 'dtype'");
    if (read) draft.output.dtype = *read;
  }
  if (const SourceNode* rounding = node.Find("rounding")) {
    const auto read = ReadRounding(reader, *rounding, what + ": 'rounding'");
    if (read) draft.output.rounding = *read;
  }
  if (const SourceNode* layout = node.Find("layout")) {
    ReadLayout(reader, *layout, what, draft.output);
  }
  if (const SourceNode* metadata = node.Find("metadata")) {
    ReadMetadata(reader, *metadata, what + ": 'metadata'", draft.output);
  }
  return draft;
}

}  // namespace weightsmith::internal
