#include "recipes/parser/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "recipes/vocabulary.h"

namespace weightsmith {
namespace {

constexpr std::uintmax_t kLargestRecipe = 16'000'000;

class Tables {
 public:
  explicit Tables(Reader& reader) : reader_(reader), diagnostics_(reader.diagnostics()) {}

  /// A file's own entries come before those that it includes, and win.
  void Add(const SourceNode& top, const std::filesystem::path& file,
           const std::filesystem::path& folder, bool included) {
    for (const bool adapters : {false, true}) {
      const SourceNode* table = top.Find(adapters ? "adapters" : "models");
      if (table != nullptr) AddModels(*table, folder, included, adapters);
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

 private:
  void AddModels(const SourceNode& table, const std::filesystem::path& folder, bool included,
                 bool adapter) {
    if (!reader_.IsMap(table, adapter ? "adapters" : "models",
                       adapter ? "Write names and files: {detail: detail.safetensors}"
                               : "Write names and files: {photo: photo.safetensors}")) {
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
            fmt::format("{} is the name of {} already (line {})", Quote(key.text),
                        adapter ? "a model" : "an adapter", known->second.key.place.line));
      } else {
        TellReplaced(adapter ? "adapter" : "model", known->second.key, known->second.value,
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
        TellReplaced("variable", known->second.first, known->second.second, table.items[i], key);
      }
    }
  }

  void TellReplaced(std::string_view kind, const SourceNode& winner, const SourceNode& winner_value,
                    const SourceNode& value, const SourceNode& key) {
    if (winner_value.scalar() && value.scalar() && winner_value.text == value.text) return;
    diagnostics_.AddWarning(
        winner.place, fmt::format("{} {} stands also in {}, line {}; this one is used", kind,
                                  Quote(winner.text), key.place.source->name, key.place.line));
  }

  void Include(const SourceNode& node, const std::filesystem::path& folder) {
    const auto path = reader_.Path(node, "include", folder);
    if (!path) return;
    const std::filesystem::path normal = path->lexically_normal();
    if (std::ranges::find(chain_, normal) != chain_.end()) {
      diagnostics_.AddError(node.place, fmt::format("{} includes itself", Quote(path->string())));
      return;
    }
    if (std::ranges::find(done_, normal) != done_.end()) return;
    done_.push_back(normal);
    const std::string text =
        WithContext(AtPlace(node.place) + "include", [&] { return ReadTextFile(*path); });
    const auto source = std::make_shared<const SourceText>(SourceText{path->string(), text});
    const std::optional<SourceNode> top = ReadSource(source, diagnostics_);
    if (!top) return;
    const std::string what = "the included table " + Quote(path->string());
    if (!reader_.IsMap(*top, what)) return;
    reader_.CheckKeys(*top, NamesOf(TableKeys()), what);
    Add(*top, *path, path->parent_path(), true);
  }

  Reader& reader_;
  Diagnostics& diagnostics_;
  std::map<std::string, ModelEntry> models_;
  std::map<std::string, std::pair<SourceNode, SourceNode>> variables_;
  std::vector<std::filesystem::path> chain_;
  std::vector<std::filesystem::path> done_;
};

}  // namespace

std::string AtPlace(const SourcePlace& place) {
  return fmt::format("{}:{}:{}: ", place.source->name, place.line, place.column);
}

std::string ReadTextFile(const std::filesystem::path& path) {
  const std::string name = Quote(path.string());
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw Error(ErrorCode::kInput, fmt::format("{} is a folder, not a recipe", name));
  }
  if (const auto size = std::filesystem::file_size(path, error); !error && size > kLargestRecipe) {
    throw Error(ErrorCode::kInput, fmt::format("{} has {}; a recipe is a text of at most {}", name,
                                               FormatBytes(size), FormatBytes(kLargestRecipe)));
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw Error(ErrorCode::kInput, fmt::format("cannot read {}: {}", name, std::strerror(errno)));
  }
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

std::map<std::string, ModelEntry> ReadTables(Reader& reader, const SourceNode& recipe,
                                             const std::filesystem::path& file,
                                             const std::filesystem::path& folder,
                                             std::vector<std::filesystem::path>& included) {
  Tables tables(reader);
  tables.Add(recipe, file, folder, false);
  included = tables.files();
  return tables.TakeModels();
}

}  // namespace weightsmith
