#include "recipes/parser/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "recipes/parser/advice.h"
#include "recipes/source/text_file.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

/// Whether a line begins with a key of recipes: no other file is read further.
bool HasRecipeKey(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t{\"'"), line.size()));
    const bool found = std::ranges::any_of(RecipeKeys(), [&](const KeySpec& key) {
      return line.starts_with(key.name) &&
             line.substr(key.name.size()).find_first_not_of(" \"'") != std::string_view::npos &&
             Trim(line.substr(key.name.size())).find(':') <= 1;
    });
    if (found) return true;
  }
  return false;
}

/// Of the models and adapters that steps take, in the order of the text.
void CollectOperands(const SourceNode& node, bool adapters, std::vector<std::string>& names) {
  constexpr std::string_view kModels[] = {"a", "b", "c", "model", "of"};
  constexpr std::string_view kAdapters[] = {"adapters", "use"};
  const auto add = [&](const SourceNode& value) {
    const std::string name = value.text.substr(0, value.text.find(':'));
    if (value.scalar() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  const auto takes = [&](const std::string& key) {
    return adapters ? std::ranges::find(kAdapters, key) != std::end(kAdapters)
                    : std::ranges::find(kModels, key) != std::end(kModels);
  };
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (node.map() && takes(node.keys[i].text)) {
      add(node.items[i]);
      for (const SourceNode& item : node.items[i].items) add(item);
    }
    CollectOperands(node.items[i], adapters, names);
  }
}

/// A list of paths as the mapping that it should be, with the names that the steps use.
std::string TableAdvice(const SourceNode& top, const SourceNode& table, bool adapters) {
  const std::string_view word = adapters ? "adapters" : "models";
  const std::string name = adapters ? "detail" : "photo";
  std::vector<std::string> names;
  if (const SourceNode* steps = top.Find("steps")) {
    CollectOperands(*steps, adapters, names);
    for (const SourceNode& step : steps->keys) std::erase(names, step.text);
  }
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < table.items.size() && table.list(); ++i) {
    const SourceNode& item = table.items[i];
    if (!item.scalar()) continue;
    const std::string own = names.size() == table.items.size()
                                ? names[i]
                                : std::filesystem::path(item.text).stem().string();
    entries.push_back(fmt::format("{}: {}", own, item.text));
  }
  if (entries.empty() && !table.list()) {
    for (const std::string& used : names) {
      entries.push_back(fmt::format("{0}: {0}.safetensors", used));
    }
  }
  if (entries.empty()) entries.push_back(fmt::format("{0}: {0}.safetensors", name));
  return fmt::format("Write names and files: {}: {{{}}}", word, fmt::join(entries, ", "));
}

/// Each is read while those that include it are open.
constexpr std::size_t kMostIncludes = 64;

class Tables {
 public:
  explicit Tables(Reader& reader) : reader_(reader), diagnostics_(reader.diagnostics()) {}

  /// A file's own entries come before those that it includes, and win.
  void Add(const SourceNode& top, const std::filesystem::path& file,
           const std::filesystem::path& folder, bool included) {
    for (const bool adapters : {false, true}) {
      const SourceNode* table = top.Find(adapters ? "adapters" : "models");
      if (table == nullptr) continue;
      const std::string advice = table->map() ? "" : TableAdvice(top, *table, adapters);
      AddModels(*table, folder, included, adapters, advice);
    }
    if (const SourceNode* vars = top.Find("vars")) AddVariables(*vars, included);
    const SourceNode* include = top.Find("include");
    if (include == nullptr) return;
    chain_.push_back(file.lexically_normal());
    if (include->list()) {
      for (const SourceNode& item : include->items) Include(item, folder);
    } else {
      Include(*include, folder);
    }
    chain_.pop_back();
  }

  std::map<std::string, ModelEntry> TakeModels() { return std::move(models_); }
  /// That were included.
  const std::vector<std::filesystem::path>& files() const { return done_; }
  bool whole() const { return whole_; }

 private:
  void AddModels(const SourceNode& table, const std::filesystem::path& folder, bool included,
                 bool adapter, const std::string& advice) {
    if (!reader_.IsMap(table, adapter ? "adapters" : "models", advice)) {
      whole_ = false;
      return;
    }
    for (std::size_t i = 0; i < table.keys.size(); ++i) {
      const SourceNode& key = table.keys[i];
      const auto [known, added] =
          models_.emplace(key.text, ModelEntry{key, table.items[i], folder, included, adapter});
      if (added) continue;
      if (known->second.adapter != adapter) {
        diagnostics_.AddError(
            key.place,
            fmt::format("{} is the name of {} in line {}", Quote(key.text),
                        adapter ? "a model" : "an adapter", known->second.key.place.line),
            "Give it another name: models, adapters and steps share one set of names.");
      } else {
        ReportReplaced(adapter ? "adapter" : "model", known->second.key, known->second.value,
                       table.items[i], key);
      }
    }
  }

  void AddVariables(const SourceNode& table, bool included) {
    if (!reader_.IsMap(table, "vars", "Write names and values: {w: 0.5}")) return;
    for (std::size_t i = 0; i < table.keys.size(); ++i) {
      const SourceNode& key = table.keys[i];
      const auto [known, added] = variables_.emplace(key.text, std::pair(key, table.items[i]));
      if (added) {
        reader_.variables().Declare(key, table.items[i], included);
      } else {
        ReportReplaced("variable", known->second.first, known->second.second, table.items[i], key);
      }
    }
  }

  void ReportReplaced(std::string_view kind, const SourceNode& winner,
                      const SourceNode& winner_value, const SourceNode& value,
                      const SourceNode& key) {
    if (winner_value.scalar() && value.scalar() && winner_value.text == value.text) return;
    diagnostics_.AddWarning(
        winner.place, fmt::format("{} {} is also in {}, line {}; this one is used", kind,
                                  Quote(winner.text), key.place.source->name, key.place.line));
  }

  void Include(const SourceNode& node, const std::filesystem::path& folder) {
    const bool read = IncludeFile(node, folder);
    whole_ = whole_ && read;
  }

  bool IncludeFile(const SourceNode& node, const std::filesystem::path& folder) {
    const auto path = reader_.Path(node, "include", folder);
    if (!path) return false;
    const std::filesystem::path normal = path->lexically_normal();
    if (std::ranges::find(chain_, normal) != chain_.end()) {
      diagnostics_.AddError(node.place, fmt::format("{} includes itself", Quote(path->string())),
                            "Remove this include.");
      return false;
    }
    if (!known_.insert(normal.string()).second) return true;
    done_.push_back(normal);
    if (chain_.size() > kMostIncludes) {
      diagnostics_.AddError(
          node.place, fmt::format("files include each other more than {} deep", kMostIncludes),
          "Include the last of them from the recipe itself.");
      return false;
    }
    auto text = ReadNamedRecipe(diagnostics_, node.place, *path);
    if (!text) return false;
    const auto source = std::make_shared<const SourceText>(*std::move(text));
    const std::optional<SourceNode> top = ReadSource(source, diagnostics_);
    const std::string what = "an included file";
    if (!top || !reader_.IsMap(*top, what)) return false;
    const auto meant = reader_.CheckKeys(*top, NamesOf(TableKeys()), what);
    Add(WithMeantKeys(*top, meant), *path, path->parent_path(), true);
    return true;
  }

  Reader& reader_;
  Diagnostics& diagnostics_;
  std::map<std::string, ModelEntry> models_;
  std::map<std::string, std::pair<SourceNode, SourceNode>> variables_;
  std::vector<std::filesystem::path> chain_;
  std::vector<std::filesystem::path> done_;
  std::set<std::string> known_;  ///< the same
  bool whole_ = true;
};

}  // namespace

std::optional<SourceText> ReadNamedRecipe(Diagnostics& diagnostics, const SourcePlace& place,
                                          const std::filesystem::path& path) {
  SourceText source{path.string(), ""};
  try {
    source.text = ReadTextFile(path);
  } catch (Error& error) {
    if (error.code() != ErrorCode::kInput) throw;
    diagnostics.AddError(place, WithFileAdvice(error, path, place));
    return std::nullopt;
  }
  if (HasRecipeKey(source.text)) return source;
  diagnostics.AddError(place,
                       fmt::format("{} is neither a recipe nor a table of models: it has none of "
                                   "their keys",
                                   Quote(source.name)),
                       "A table begins with models: and names files: photo: photo.safetensors");
  return std::nullopt;
}

TablesRead ReadTables(Reader& reader, const SourceNode& recipe, const std::filesystem::path& file,
                      const std::filesystem::path& folder) {
  Tables tables(reader);
  tables.Add(recipe, file, folder, false);
  return {tables.TakeModels(), tables.files(), tables.whole()};
}

}  // namespace weightsmith::internal
