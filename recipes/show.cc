#include "recipes/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "recipes/vocabulary.h"

namespace weightsmith {
namespace {

namespace fs = std::filesystem;

/// A text as it may stand anywhere in YAML: as it is where nothing in it can be misread, else in
/// the quotes and escapes of JSON, which are YAML's as well.
std::string Scalar(const std::string& text) {
  static constexpr std::array<std::string_view, 9> kWords{"true", "false", "null", "yes", "no",
                                                          "on",   "off",   "y",    "n"};
  const auto harmless = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
  };
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool plain = !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
                     std::ranges::all_of(text, harmless) &&
                     std::ranges::find(kWords, lower) == kWords.end();
  if (plain) return text;
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Braces that do not name a variable.
std::string WithoutVariables(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '{' || c == '}') out += c;
  }
  return out;
}

std::string Flow(const std::vector<std::string>& items) {
  return fmt::format("{{{}}}", fmt::join(items, ", "));
}

template <class T, class Word>
std::string ByPlace(const PlaceMap<T>& map, const Word& word) {
  if (map.everywhere()) return word(*map.everywhere());
  std::vector<std::string> rows;
  for (const PlaceRow<T>& row : map.rows()) {
    rows.push_back(fmt::format("{}: {}", Scalar(row.selector.text()), word(row.value)));
  }
  return Flow(rows);
}

std::string WordOf(std::optional<DType> dtype) {
  return dtype ? std::string(Info(*dtype).word) : "keep";
}

std::string WordOf(MissingPolicy policy) {
  return std::string(MissingWords()[static_cast<std::size_t>(policy)]);
}

std::string ValueOf(const PolicySpec& spec, const Policies& policies) {
  if (spec.current != nullptr) return std::string(spec.values[spec.current(policies)].name);
  return ByPlace(policies.missing, [](MissingPolicy policy) { return WordOf(policy); });
}

class Writer {
 public:
  Writer(const Recipe& recipe, const ShowOptions& options) : recipe_(recipe), options_(options) {
    for (const RecipeNode& node : recipe.nodes) names_.push_back(NewName(node.node));
  }

  std::string Write() {
    text_ = "weightsmith: 1\n";
    WriteModels();
    WritePolicies();
    WriteSteps();
    WriteOutputs();
    return std::move(text_);
  }

 private:
  // An inline step gets a name of its own, which must not be that of another.
  std::string NewName(const Node& node) {
    std::string name = node.leaf() ? recipe_.models[*node.model].name : node.name;
    while (!taken_.insert(name).second) name += "_";
    return name;
  }

  std::string PathOf(const fs::path& path) const {
    if (options_.without_folders) {
      const fs::path normal = path.lexically_normal();  // "folder/" has no filename
      const fs::path& named = normal.has_filename() ? normal : normal.parent_path();
      return Scalar(WithoutVariables(named.filename().string()));
    }
    const fs::path relative = path.is_absolute() == recipe_.folder.is_absolute()
                                  ? path.lexically_relative(recipe_.folder)
                                  : fs::path();
    const fs::path& shown = relative.empty() || recipe_.folder.empty() ? path : relative;
    return Scalar(WithoutVariables(shown.string()));
  }

  std::string FileOf(const FileReference& file) const {
    if (file.path && file.pins.empty()) return PathOf(*file.path);
    std::vector<std::string> items;
    if (file.path) items.push_back(fmt::format("path: {}", PathOf(*file.path)));
    for (const HashPin& pin : file.pins) {
      items.push_back(fmt::format("{}: \"{}\"", pin.kind, pin.digits));
    }
    return Flow(items);
  }

  void WriteModels() {
    if (recipe_.models.empty()) return;
    text_ += "models:\n";
    for (std::size_t id = 0; id < recipe_.nodes.size(); ++id) {
      const Node& node = recipe_.nodes[id].node;
      if (!node.leaf()) continue;
      const RecipeModel& model = recipe_.models[*node.model];
      std::vector<std::string> parts;
      for (const RecipeModel::Part& part : model.parts) {
        if (part.component) {
          parts.push_back(fmt::format("{}: {}", *part.component, FileOf(part.file)));
        }
      }
      text_ += fmt::format("  {}: {}\n", Scalar(names_[id]),
                           parts.empty() ? FileOf(model.parts.front().file) : Flow(parts));
    }
  }

  void WritePolicies() {
    text_ += "policy:\n";
    for (const PolicySpec& spec : PolicyTable()) {
      text_ += fmt::format("  {}: {}\n", spec.name, ValueOf(spec, recipe_.policies));
    }
  }

  // Those of the step that differ from the recipe's.
  std::string StepPolicies(const Policies& policies) const {
    std::vector<std::string> items;
    for (const PolicySpec& spec : PolicyTable()) {
      const std::string value = ValueOf(spec, policies);
      if (!spec.per_step || value == ValueOf(spec, recipe_.policies)) continue;
      items.push_back(fmt::format("{}: {}", spec.name, value));
    }
    return items.empty() ? "" : Flow(items);
  }

  void WriteSteps() {
    bool any = false;
    for (std::size_t id = 0; id < recipe_.nodes.size(); ++id) {
      const Node& node = recipe_.nodes[id].node;
      if (node.leaf()) continue;
      if (!any) text_ += "steps:\n";
      any = true;
      text_ += fmt::format("  {}:\n", Scalar(names_[id]));
      WriteStep(node);
    }
  }

  void WriteStep(const Node& node) {
    const auto line = [&](std::string_view key, const std::string& value) {
      text_ += fmt::format("    {}: {}\n", key, value);
    };
    line("op", std::string(node.op->name));
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      line(node.op->operands[i].name, Scalar(names_[node.operands[i]]));
    }
    if (!node.list.empty()) WriteList(node);
    for (std::size_t i = 0; i < node.parameters.size(); ++i) {
      const ParameterSpec& spec = node.op->parameters[i];
      const auto& everywhere = node.parameters[i].everywhere();
      if (everywhere && std::isnan(*everywhere)) continue;
      line(spec.name, ByPlace(node.parameters[i], [&](double value) -> std::string {
             if (spec.type == ParameterType::kNumber) return FormatNumber(value);
             return value != 0 ? "true" : "false";
           }));
    }
    if (const std::string policies = StepPolicies(node.policies); !policies.empty()) {
      line("policy", policies);
    }
  }

  void WriteList(const Node& node) {
    text_ += fmt::format("    {}:\n", node.op->list->name);
    for (std::size_t i = 0; i < node.list.size(); ++i) {
      const std::string name = Scalar(names_[node.list[i]]);
      if (!node.op->list->weighted) {
        text_ += fmt::format("      - {}\n", name);
        continue;
      }
      const std::string weight =
          ByPlace(node.weights[i], [](double value) { return FormatNumber(value); });
      text_ += fmt::format("      - {{model: {}, weight: {}}}\n", name, weight);
    }
  }

  void WriteOutputs() {
    text_ += "outputs:\n";
    for (const RecipeOutput& output : recipe_.outputs) {
      text_ += fmt::format("  - model: {}\n", Scalar(names_[output.root]));
      const auto line = [&](std::string_view key, const std::string& value) {
        text_ += fmt::format("    {}: {}\n", key, value);
      };
      if (output.path && !options_.without_folders) line("path", PathOf(*output.path));
      if (!output.components.empty()) {
        std::vector<std::string> items;
        for (const auto& [component, node] : output.components) {
          items.push_back(fmt::format("{}: {}", component, Scalar(names_[node])));
        }
        line("components", Flow(items));
      }
      line("dtype",
           output.dtype.empty() ? "keep" : ByPlace(output.dtype, [](std::optional<DType> dtype) {
             return WordOf(dtype);
           }));
      if (output.split) line("split", "true");
      if (output.max_shard_size) line("max_shard_size", fmt::format("{}", *output.max_shard_size));
      if (output.files_from && !options_.without_folders) {
        line("files_from", PathOf(*output.files_from));
      }
      if (!output.metadata.empty()) WriteMetadata(output.metadata);
    }
  }

  void WriteMetadata(const Metadata& metadata) {
    text_ += "    metadata:\n";
    for (const auto& [key, value] : metadata) {
      const bool title = key == "modelspec.title";
      text_ += fmt::format("      {}: {}\n", Scalar(key),
                           Scalar(title ? WithoutVariables(value) : value));
    }
  }

  const Recipe& recipe_;
  const ShowOptions& options_;
  std::set<std::string> taken_;
  std::vector<std::string> names_;  ///< parallel to the nodes
  std::string text_;
};

}  // namespace

std::string ShowRecipe(const Recipe& recipe, const ShowOptions& options) {
  Recipe shown = recipe;
  if (options.output) shown.outputs = {recipe.outputs[*options.output]};
  const Recipe used = WithoutUnused(shown);
  return Writer(used, options).Write();
}

}  // namespace weightsmith
