#include "recipes/parser/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

/// The kind of hash that has so many digits.
std::string PinAdvice(std::string_view digits) {
  for (const HashKind& kind : HashKinds()) {
    if (kind.digits == digits.size()) return fmt::format("Write {}: \"{}\"", kind.name, digits);
  }
  return "Copy the whole hash; quotes keep its zeros.";
}

std::optional<HashPin> ReadPin(Reader& reader, const HashKind& kind, const SourceNode& node,
                               const std::string& what) {
  const auto text = reader.Text(node, fmt::format("{}: '{}'", what, kind.name));
  if (!text) return std::nullopt;
  const std::string digits = Lowercase(*text);
  const bool hexadecimal = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (digits.size() != kind.digits || !hexadecimal) {
    reader.diagnostics().AddError(
        node.place,
        fmt::format("{}: '{}' has {} hexadecimal digits, and {} has {}", what, kind.name,
                    kind.digits, Quote(*text, 80),
                    hexadecimal ? fmt::format("{} of them", digits.size()) : "other characters"),
        hexadecimal ? PinAdvice(digits) : "Copy the hash again; quotes keep its zeros.");
    return std::nullopt;
  }
  return HashPin{std::string(kind.name), digits};
}

/// A file as a path, or as a mapping of a path and hashes.
FileReference ReadFile(Reader& reader, const SourceNode& node, const std::string& what,
                       const std::filesystem::path& folder) {
  FileReference file;
  file.place = node.place;
  if (node.scalar()) {
    file.path = reader.Path(node, what, folder);
    return file;
  }
  if (!reader.IsMap(node, what, "Write the path of a file, or {path: …, sha256: …}.")) return file;
  if (const SourceNode* path = node.Find("path")) {
    file.path = reader.Path(*path, what + ": 'path'", folder);
  }
  if (const SourceNode* key = node.Find("key")) {
    file.key = reader.Text(*key, what + ": 'key'").value_or("");
  }
  if (const SourceNode* prune = node.Find("prune")) {
    file.prune = reader.Boolean(*prune, what + ": 'prune'").value_or(false);
  }
  if (const SourceNode* fix = node.Find("fix")) {
    file.fix = reader.Boolean(*fix, what + ": 'fix'").value_or(false);
  }
  for (const HashKind& kind : HashKinds()) {
    const SourceNode* digits = node.Find(kind.name);
    if (digits == nullptr) continue;
    if (auto pin = ReadPin(reader, kind, *digits, what)) file.pins.push_back(std::move(*pin));
  }
  const bool named = std::ranges::any_of(node.keys, [](const SourceNode& key) {
    return key.text == "path" ||
           std::ranges::find(HashKinds(), key.text, &HashKind::name) != std::end(HashKinds());
  });
  if (!named) {
    reader.diagnostics().AddError(node.place, fmt::format("{} names no file", what),
                                  "Write {path: FILE}, or {sha256: …} to look it up by its hash.");
  }
  return file;
}

bool IsPart(std::string_view word) {
  const std::vector<std::string_view> words = PartWords();
  return std::ranges::find(words, word) != words.end();
}

void ReadComponents(Reader& reader, const SourceNode& node, const std::string& what,
                    const std::filesystem::path& folder, RecipeModel& model) {
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& word = node.keys[i].text;
    if (!IsPart(word)) continue;  // reported by CheckKeys
    SourceNode value = node.items[i];
    const std::string part = fmt::format("{}: '{}'", what, word);
    if (value.map()) {
      std::vector<std::string> keys = NamesOf(KeysOfModels());
      std::erase(keys, "recipe");
      value = WithMeantKeys(value, reader.CheckKeys(value, keys, part));
    }
    model.parts.push_back({word, ReadFile(reader, value, part, folder)});
  }
  std::ranges::sort(model.parts, {}, &RecipeModel::Part::component);
}

}  // namespace

bool CheckName(Reader& reader, const SourceNode& key, std::string_view kind) {
  const auto forbidden = [](unsigned char c) { return c < 0x20 || c == 0x7F || c == ':'; };
  std::string_view problem;
  if (key.text.empty()) problem = "is empty";
  if (key.text.starts_with('$')) problem = "begins with $, the sign of a variable";
  if (std::ranges::any_of(key.text, forbidden))
    problem = "has a colon or a control character in it";
  if (problem.empty()) return true;
  std::string plain = key.text;
  std::erase_if(plain,
                [&](char c) { return forbidden(static_cast<unsigned char>(c)) || c == '$'; });
  reader.diagnostics().AddError(
      key.place, fmt::format("the {} name {} {}", kind, Quote(key.text), problem),
      plain.empty() ? "Write a name." : fmt::format("Write a name without it, such as {}.", plain));
  return false;
}

ModelDeclaration ReadModel(Reader& reader, const ModelEntry& entry) {
  ModelDeclaration declaration;
  RecipeModel& model = declaration.model;
  model.name = entry.key.text;
  model.place = entry.key.place;
  const std::string what = "model " + Quote(model.name);
  if (!entry.value.map()) {
    model.parts.push_back({std::nullopt, ReadFile(reader, entry.value, what, entry.folder)});
    return declaration;
  }
  std::vector<std::string> known = NamesOf(KeysOfModels());
  for (const std::string& key : NamesOf(AssemblyKeys())) known.push_back(key);
  for (const std::string_view word : PartWords()) known.emplace_back(word);
  const SourceNode value = WithMeantKeys(entry.value, reader.CheckKeys(entry.value, known, what));
  const bool components =
      std::ranges::any_of(value.keys, [](const SourceNode& key) { return IsPart(key.text); });
  const bool file = std::ranges::any_of(value.keys, [](const SourceNode& key) {
    const auto keys = NamesOf(KeysOfModels());
    return key.text != "recipe" && std::ranges::find(keys, key.text) != keys.end();
  });
  const SourceNode* recipe = value.Find("recipe");
  if (int{components} + int{file} + int{recipe != nullptr} > 1) {
    reader.diagnostics().AddError(
        value.place,
        fmt::format("{} has keys of a file, of components and of a recipe together", what),
        "Write {path: …}, or components {unet: …, vae: …}, or {recipe: …}.");
  } else if (recipe != nullptr) {
    declaration.recipe = reader.Path(*recipe, what + ": 'recipe'", entry.folder);
    declaration.recipe_place = recipe->place;
  } else if (components) {
    if (const SourceNode* like = value.Find("like")) {
      model.like = reader.Text(*like, what + ": 'like'").value_or("");
    }
    ReadComponents(reader, value, what, entry.folder, model);
  } else {
    model.parts.push_back({std::nullopt, ReadFile(reader, value, what, entry.folder)});
  }
  return declaration;
}

ModelDeclaration ReadAdapterEntry(Reader& reader, const ModelEntry& entry) {
  ModelDeclaration declaration;
  RecipeModel& model = declaration.model;
  model.name = entry.key.text;
  model.place = entry.key.place;
  model.adapter = true;
  SourceNode value = entry.value;
  const std::string what = "adapter " + Quote(model.name);
  if (value.map()) {
    std::vector<std::string> known = NamesOf(AdapterKeys());
    if (const SourceNode* strength = value.Find("strength")) {
      known.emplace_back("strength");
      reader.diagnostics().AddError(
          strength->place, fmt::format("{}: a strength is written where the adapter is used", what),
          fmt::format("Remove it here, and write adapters: [\"{}:{}\"] in the step", model.name,
                      strength->scalar() ? strength->text : "1"));
    }
    value = WithMeantKeys(value, reader.CheckKeys(value, known, what));
    if (const SourceNode* name = value.Find("adapter")) {
      model.peft_name = reader.Text(*name, what + ": 'adapter'").value_or("");
    }
    if (const SourceNode* allowed = value.Find("allow_unmatched")) {
      model.allow_unmatched = reader.Regex(*allowed, what + ": 'allow_unmatched'").value_or("");
    }
  }
  model.parts.push_back({std::nullopt, ReadFile(reader, value, what, entry.folder)});
  return declaration;
}

}  // namespace weightsmith::internal
