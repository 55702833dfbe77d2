#include "recipes/api/model_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/json-inl.h"
#include "recipes/api/model_node.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

Json JsonOf(const std::string& what, const weightsmith::Value& value);

Json NumberOf(const std::string& what, double number) {
  if (std::isfinite(number)) return number;
  throw Error(ErrorCode::kUsage, fmt::format("{} is {}, expected a finite number", what, number));
}

struct ToJson {
  const std::string& what;

  Json operator()(double number) const { return NumberOf(what, number); }
  Json operator()(std::int64_t number) const { return number; }
  Json operator()(bool flag) const { return flag; }
  Json operator()(const std::string& word) const { return word; }
  Json operator()(const weightsmith::Value::List& numbers) const {
    Json list = Json::array();
    for (const double number : numbers) list.push_back(NumberOf(what, number));
    return list;
  }
  Json operator()(const ByPlace& places) const {
    Json rows = Json::object();
    for (const auto& [place, value] : places) {
      rows[place] = JsonOf(fmt::format("{}[{}]", what, place), value);
    }
    return rows;
  }
};

Json JsonOf(const std::string& what, const weightsmith::Value& value) {
  return std::visit(ToJson{what}, value.any());
}

template <class Values>
Json ObjectOf(const std::string& what, const Values& values) {
  Json object = Json::object();
  for (const auto& [name, value] : values) {
    object[name] = JsonOf(fmt::format("{}: {}", what, name), value);
  }
  return object;
}

/// A text whose bytes are any, as a name in recipes; `taken` are those of others.
std::string NewName(const std::string& wanted, std::set<std::string>& taken) {
  static constexpr std::string_view kWords[] = {"null", "true", "false", "yes", "no",
                                                "on",   "off",  "y",     "n"};
  std::string name;
  for (const char c : wanted) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    name += plain || c == '_' || c == '-' ? c : '_';
  }
  std::string lower = name;
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  const bool letter = !lower.empty() && lower.front() >= 'a' && lower.front() <= 'z';
  // YAML, as which a recipe is shown, has words that are no texts.
  if (!letter || std::ranges::find(kWords, lower) != std::end(kWords)) name.insert(0, "m_");
  std::string unique = name;
  for (int number = 2; !taken.insert(unique).second; ++number) {
    unique = fmt::format("{}_{}", name, number);
  }
  return unique;
}

/// "photo" of "models/photo.safetensors".
std::string StemOf(const fs::path& path) {
  static constexpr std::string_view kEnds[] = {".index.json", ".safetensors", ".ckpt",
                                               ".pt",         ".pth",         ".bin"};
  std::string name = path.lexically_normal().filename().string();
  if (name.empty()) name = path.lexically_normal().parent_path().filename().string();
  for (const std::string_view end : kEnds) {
    if (name.ends_with(end)) return name.substr(0, name.size() - end.size());
  }
  return name;
}

bool InMemory(const Checkpoint& checkpoint) {
  return checkpoint.files().empty() || checkpoint.files().front()->substituted();
}

/// A recipe in the making: what it says, and the names of what it says it of.
class Writer {
 public:
  std::string NameOf(const weightsmith::Model& model) {
    const ModelSource& source = *model.state()->source;
    const auto known = names_.find(&source);
    if (known != names_.end()) return known->second;
    std::string name = std::visit([this](const auto& each) { return Add(each); }, source);
    return names_[&source] = std::move(name);
  }

  ModelRecipe Finish(const weightsmith::Policies& policies, Json output) {
    Json recipe = {{"weightsmith", 1}, {"models", models_}};
    if (!adapters_.empty()) recipe["adapters"] = adapters_;
    if (!policies.empty()) recipe["policy"] = ObjectOf("policy", policies);
    if (!steps_.empty()) recipe["steps"] = steps_;
    recipe["output"] = std::move(output);
    made_.source.text = ToText(recipe);
    made_.source.text.pop_back();  // the end of the line
    // The name of the output was looked at as it is.
    made_.options.check_output_names = false;
    return std::move(made_);
  }

 private:
  std::string Add(const std::shared_ptr<const Checkpoint>& checkpoint) {
    const bool in_memory = InMemory(*checkpoint);
    const std::pair key(checkpoint->path(), checkpoint->key());
    if (!in_memory && files_.contains(key)) return files_[key];
    std::string name = NewName(StemOf(checkpoint->path()), taken_);
    fs::path path = checkpoint->path();
    if (in_memory) {
      path += "-" + name;  // several may be called the same
      made_.in_memory = true;
    } else {
      files_[key] = name;
    }
    made_.source.paths[name] = path;
    made_.options.opened.try_emplace(path, checkpoint);
    models_[name] = PathInRecipe(path);
    if (!checkpoint->key().empty()) {
      models_[name] = {{"path", PathInRecipe(path)}, {"key", checkpoint->key()}};
    }
    return name;
  }

  std::string Add(const weightsmith::Adapter& adapter) {
    // The same file with other strengths is one adapter.
    const std::string key =
        fmt::format("{}\n{}\n{}", adapter.path.string(), adapter.allow_unmatched, adapter.adapter);
    const auto known = adapter_names_.find(key);
    if (known != adapter_names_.end()) return known->second;
    std::string name = NewName(StemOf(adapter.path), taken_);
    Json said = {{"path", PathInRecipe(adapter.path)}};
    if (!adapter.allow_unmatched.empty()) said["allow_unmatched"] = adapter.allow_unmatched;
    if (!adapter.adapter.empty()) said["adapter"] = adapter.adapter;
    adapters_[name] = std::move(said);
    made_.source.paths[name] = adapter.path;
    return adapter_names_[key] = std::move(name);
  }

  std::string Add(const ModelStep& step) {
    const std::string op(step.op->name);
    Json said = {{"op", op}};
    for (std::size_t i = 0; i < step.operands.size(); ++i) {
      said[std::string(step.op->operands[i].name)] = NameOf(step.operands[i]);
    }
    if (step.op->list && (!step.list.empty() || !step.op->list->optional)) {
      Json& list = said[std::string(step.op->list->name)] = Json::array();
      for (const weightsmith::Entry& entry : step.list) list.push_back(EntryOf(step, entry));
    }
    for (const auto& [parameter, value] : step.parameters) {
      said[parameter] = JsonOf(fmt::format("{}: {}", op, parameter), value);
    }
    if (!step.policies.empty()) said["policy"] = ObjectOf(op + ": policy", step.policies);
    std::string name = NewName(op, taken_);
    steps_[name] = std::move(said);
    return name;
  }

  Json EntryOf(const ModelStep& step, const weightsmith::Entry& entry) {
    std::string name = NameOf(entry.model);
    if (!entry.weight && entry.numbers.empty()) return name;
    const bool adapter = step.op->list->adapters ||
                         std::holds_alternative<weightsmith::Adapter>(*entry.model.state()->source);
    const char* const word = adapter ? "strength" : "weight";
    Json said = {{adapter ? "use" : "model", std::move(name)}};
    if (entry.weight) {
      said[word] = JsonOf(fmt::format("{}: {}", step.op->name, word), *entry.weight);
    }
    for (const auto& [number, value] : entry.numbers) {
      said[number] = JsonOf(fmt::format("{}: {}", step.op->name, number), value);
    }
    return said;
  }

  std::map<const ModelSource*, std::string> names_;
  std::set<std::string> taken_;
  std::map<std::pair<fs::path, std::string>, std::string> files_;  ///< by path and key
  std::map<std::string, std::string> adapter_names_;
  Json models_ = Json::object();
  Json adapters_ = Json::object();
  Json steps_ = Json::object();
  ModelRecipe made_;
};

}  // namespace

ModelRecipe RecipeOf(const weightsmith::Model& model, const SaveOptions& save) {
  Writer writer;
  Json output = {{"model", writer.NameOf(model)}, {"path", "result.safetensors"}};
  if (save.dtype) output["dtype"] = JsonOf("dtype", *save.dtype);
  if (!save.rounding.empty()) output["rounding"] = save.rounding;
  if (!save.layout.empty()) output["layout"] = save.layout;
  if (save.split) output["split"] = true;
  if (save.max_shard_size) output["max_shard_size"] = *save.max_shard_size;
  if (!save.files_from.empty()) output["files_from"] = PathInRecipe(save.files_from);
  if (!save.metadata.empty()) output["metadata"] = save.metadata;
  for (const auto& [component, from] : save.components) {
    output["components"][component] = writer.NameOf(from);
  }
  return writer.Finish(model.state()->policies, std::move(output));
}

std::string ValueText(const std::string& what, const weightsmith::Value& value) {
  return ToLine(JsonOf(what, value));
}

}  // namespace weightsmith::internal
