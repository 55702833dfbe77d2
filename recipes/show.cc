#include "recipes/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "recipes/presets.h"
#include "recipes/source/writer.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

SourceNode EmptyCollection(SourceNode::Type type, bool flow) {
  SourceNode node;
  node.type = type;
  node.flow = flow;
  return node;
}

SourceNode Block() {
  return EmptyCollection(SourceNode::Type::kMap, false);
}
SourceNode Flow() {
  return EmptyCollection(SourceNode::Type::kMap, true);
}
SourceNode List() {
  return EmptyCollection(SourceNode::Type::kList, false);
}

SourceNode Text(std::string_view text) {
  SourceNode node;
  node.type = SourceNode::Type::kScalar;
  node.text = text;
  return node;
}

/// Text that is no text: a number or a boolean.
SourceNode Plain(std::string_view text) {
  SourceNode node = Text(text);
  node.plain = true;
  return node;
}

SourceNode Number(double value) {
  return Plain(FormatNumber(value));
}

void Put(SourceNode& map, std::string_view key, SourceNode value) {
  map.keys.push_back(Text(key));
  map.items.push_back(std::move(value));
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

/// A path in which nothing names a variable.
SourceNode PathText(const std::string& path) {
  return Text(path.starts_with('$') ? "./" + WithoutVariables(path) : WithoutVariables(path));
}

/// What `path` is from `folder`, where it is below: the parser took every relative path from there.
/// A path of the command line may be relative as well, to the working directory.
fs::path FromFolder(const fs::path& path, const fs::path& folder) {
  if (folder.empty()) return path;
  const auto [base, at] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  std::error_code error;
  if (base != folder.end()) {
    fs::path absolute = fs::absolute(path, error);
    return error ? path : absolute;
  }
  fs::path rest;
  for (auto part = at; part != path.end(); ++part) rest /= *part;
  return rest.empty() ? fs::path(".") : rest;
}

SourceNode NumberList(std::span<const double> numbers) {
  SourceNode list = EmptyCollection(SourceNode::Type::kList, true);
  for (const double number : numbers) list.items.push_back(Number(number));
  return list;
}

/// A preset by its name where the program knows it, so that it still fits other architectures.
SourceNode ListOf(const CommunityList& list) {
  for (const auto& [name, numbers] : list.adapter ? ShippedAdapterPresets() : ShippedPresets()) {
    if (list.resample && numbers == list.numbers) return Text(name);
  }
  return NumberList(list.numbers);
}

template <class T, class Value>
SourceNode ByPlace(const PlaceMap<T>& map, const Value& value) {
  if (map.everywhere()) return value(*map.everywhere());
  if (map.list()) return ListOf(*map.list());
  SourceNode rows = Flow();
  for (const PlaceRow<T>& row : map.rows()) {
    Put(rows, row.selector.text(), row.knots.empty() ? value(row.value) : NumberList(row.knots));
  }
  return rows;
}

SourceNode ValueOf(const PolicySpec& spec, const Policies& policies) {
  if (spec.current != nullptr) return Text(spec.values[spec.current(policies)].name);
  return ByPlace(policies.missing, [](MissingPolicy policy) {
    return Text(MissingWords()[static_cast<std::size_t>(policy)]);
  });
}

class Shown {
 public:
  Shown(const Recipe& recipe, const ShowOptions& options) : recipe_(recipe), options_(options) {
    for (const RecipeNode& node : recipe.nodes) names_.push_back(NewName(node.node));
  }

  SourceNode Tree() const {
    SourceNode tree = Block();
    Put(tree, "weightsmith", Plain("1"));
    Put(tree, "models", Models());
    if (SourceNode adapters = Adapters(); !adapters.items.empty()) {
      Put(tree, "adapters", std::move(adapters));
    }
    Put(tree, "policy", RecipePolicies());
    if (SourceNode steps = Steps(); !steps.items.empty()) Put(tree, "steps", std::move(steps));
    SourceNode outputs = List();
    for (const RecipeOutput& output : recipe_.outputs) outputs.items.push_back(Output(output));
    Put(tree, "outputs", std::move(outputs));
    return tree;
  }

 private:
  // An inline step gets a name of its own, which must not be that of another.
  std::string NewName(const Node& node) {
    std::string name = node.leaf() ? recipe_.models[*node.model].name : node.name;
    while (!taken_.insert(name).second) name += '_';
    return name;
  }

  SourceNode NameOf(NodeId node) const { return Text(names_[node]); }

  SourceNode PathOf(const fs::path& path) const {
    if (!options_.without_folders) {
      return PathText(FromFolder(path, recipe_.folder).string());
    }
    const fs::path normal = path.lexically_normal();  // "folder/" has no filename
    const fs::path& named = normal.has_filename() ? normal : normal.parent_path();
    // Such a recipe is to be read again, and the names of its files are for people.
    std::string name = named.filename().string();
    std::ranges::replace_if(
        name, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '_');
    return PathText(name);
  }

  SourceNode FileOf(const FileReference& file) const {
    const bool plain = file.pins.empty() && file.key.empty() && !file.prune && !file.fix;
    if (file.path && plain) return PathOf(*file.path);
    SourceNode map = Flow();
    if (file.path) Put(map, "path", PathOf(*file.path));
    if (!file.key.empty()) Put(map, "key", Text(file.key));
    if (file.prune) Put(map, "prune", Plain("true"));
    if (file.fix) Put(map, "fix", Plain("true"));
    for (const HashPin& pin : file.pins) Put(map, pin.kind, Text(pin.digits));
    return map;
  }

  SourceNode Models() const {
    SourceNode models = Block();
    for (std::size_t id = 0; id < recipe_.nodes.size(); ++id) {
      const Node& node = recipe_.nodes[id].node;
      if (!node.leaf() || recipe_.models[*node.model].adapter) continue;
      const RecipeModel& model = recipe_.models[*node.model];
      SourceNode parts = Flow();
      if (!model.like.empty()) Put(parts, "like", Text(model.like));
      for (const RecipeModel::Part& part : model.parts) {
        if (part.component) Put(parts, *part.component, FileOf(part.file));
      }
      Put(models, names_[id],
          parts.items.empty() ? FileOf(model.parts.front().file) : std::move(parts));
    }
    return models;
  }

  SourceNode Adapters() const {
    SourceNode adapters = Block();
    for (std::size_t id = 0; id < recipe_.nodes.size(); ++id) {
      const Node& node = recipe_.nodes[id].node;
      if (!node.leaf() || !recipe_.models[*node.model].adapter) continue;
      const RecipeModel& model = recipe_.models[*node.model];
      SourceNode file = FileOf(model.parts.front().file);
      if (!model.peft_name.empty() || !model.allow_unmatched.empty()) {
        if (!file.map()) {
          SourceNode map = Flow();
          Put(map, "path", std::move(file));
          file = std::move(map);
        }
        if (!model.peft_name.empty()) Put(file, "adapter", Text(model.peft_name));
        if (!model.allow_unmatched.empty()) {
          Put(file, "allow_unmatched", Text(model.allow_unmatched));
        }
      }
      Put(adapters, names_[id], std::move(file));
    }
    return adapters;
  }

  SourceNode RecipePolicies() const {
    SourceNode policies = Block();
    for (const PolicySpec& spec : PolicyTable()) {
      Put(policies, spec.name, ValueOf(spec, recipe_.policies));
    }
    return policies;
  }

  // Those of the step that differ from the recipe's.
  SourceNode StepPolicies(const Policies& policies) const {
    SourceNode different = Flow();
    for (const PolicySpec& spec : PolicyTable()) {
      SourceNode value = ValueOf(spec, policies);
      const bool same = WriteJson(value) == WriteJson(ValueOf(spec, recipe_.policies));
      if (spec.per_step && !same) Put(different, spec.name, std::move(value));
    }
    return different;
  }

  SourceNode Steps() const {
    SourceNode steps = Block();
    for (std::size_t id = 0; id < recipe_.nodes.size(); ++id) {
      const Node& node = recipe_.nodes[id].node;
      if (!node.leaf()) Put(steps, names_[id], Step(node));
    }
    return steps;
  }

  SourceNode Step(const Node& node) const {
    SourceNode step = Block();
    Put(step, "op", Text(node.op->name));
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      Put(step, node.op->operands[i].name, NameOf(node.operands[i]));
    }
    if (!node.list.empty()) Put(step, node.op->list->name, OperandList(node));
    for (std::size_t i = 0; i < node.parameters.size(); ++i) {
      const ParameterSpec& spec = node.op->parameters[i];
      const auto& everywhere = node.parameters[i].everywhere();
      if (everywhere && std::isnan(*everywhere)) continue;  // left out
      Put(step, spec.name, ByPlace(node.parameters[i], [&](double value) {
            if (spec.type == ParameterType::kBoolean) return Plain(value != 0 ? "true" : "false");
            if (spec.type != ParameterType::kWord) return Number(value);
            return Text(spec.words[static_cast<std::size_t>(value)]);
          }));
    }
    if (!node.where.empty()) Put(step, kWhere, WhereOf(node.where));
    if (SourceNode policies = StepPolicies(node.policies); !policies.items.empty()) {
      Put(step, "policy", std::move(policies));
    }
    return step;
  }

  SourceNode OperandList(const Node& node) const {
    SourceNode list = List();
    const std::vector<const ParameterSpec*> specs = EntryNumbers(*node.op);
    for (std::size_t i = 0; i < node.list.size(); ++i) {
      if (node.op->list->layers) {
        list.items.push_back(LayersOf(node, i));
        continue;
      }
      SourceNode entry = Flow();
      const bool adapters = node.op->list->adapters;
      Put(entry, adapters ? "use" : "model", NameOf(node.list[i]));
      if (node.op->list->weighted) {
        Put(entry, adapters ? "strength" : "weight", ByPlace(node.weights[i], Number));
      }
      for (std::size_t k = 0; !node.entry_numbers.empty() && k < specs.size(); ++k) {
        const Weights& number = node.entry_numbers[i][k];
        if (number.everywhere() && std::isnan(*number.everywhere())) continue;  // left out
        Put(entry, specs[k]->name, ByPlace(number, Number));
      }
      const bool bare = !node.op->list->weighted && entry.items.size() == 1;
      list.items.push_back(bare ? NameOf(node.list[i]) : std::move(entry));
    }
    return list;
  }

  SourceNode LayersOf(const Node& node, std::size_t i) const {
    SourceNode entry = Flow();
    Put(entry, "model", NameOf(node.list[i]));
    if (const auto& layers = node.layers[i]) {
      Put(entry, "layers", Text(fmt::format("{}-{}", layers->first, layers->last)));
    }
    return entry;
  }

  static SourceNode WhereOf(const std::vector<TensorFilter>& filters) {
    if (filters.size() == 1) return FilterOf(filters.front());
    SourceNode list = List();
    for (const TensorFilter& filter : filters) list.items.push_back(FilterOf(filter));
    return list;
  }

  static SourceNode FilterOf(const TensorFilter& filter) {
    SourceNode map = Flow();
    const auto put = [&](std::string_view key, std::vector<SourceNode> values) {
      if (values.empty()) return;
      SourceNode list = EmptyCollection(SourceNode::Type::kList, true);
      list.items = std::move(values);
      Put(map, key, list.items.size() == 1 ? SourceNode(list.items.front()) : std::move(list));
    };
    const auto texts = [&](const std::vector<Selector>& selectors) {
      std::vector<SourceNode> values;
      for (const Selector& selector : selectors) values.push_back(Text(selector.text()));
      return values;
    };
    std::vector<SourceNode> names;
    for (const Selector& name : filter.names) {
      names.push_back(Text(WrittenName(name)));
    }
    put("component", texts(filter.components));
    put("block", texts(filter.blocks));
    put("name", std::move(names));
    std::vector<SourceNode> ranks;
    for (const std::uint64_t rank : filter.ranks) ranks.push_back(Plain(std::to_string(rank)));
    put("rank", std::move(ranks));
    if (filter.larger_than) Put(map, "larger_than", Plain(std::to_string(*filter.larger_than)));
    if (filter.smaller_than) Put(map, "smaller_than", Plain(std::to_string(*filter.smaller_than)));
    return map;
  }

  SourceNode Output(const RecipeOutput& output) const {
    SourceNode map = Block();
    Put(map, "model", NameOf(output.root));
    if (output.path && !options_.without_folders) Put(map, "path", PathOf(*output.path));
    if (!output.components.empty()) {
      SourceNode components = Flow();
      for (const auto& [component, node] : output.components) {
        Put(components, component, NameOf(node));
      }
      Put(map, "components", std::move(components));
    }
    Put(map, "dtype", DTypeOf(output));
    if (output.rounding.stochastic) Put(map, "rounding", Text(ToString(output.rounding)));
    if (output.layout != OutputLayout::kKeep) Put(map, "layout", Text(ToString(output.layout)));
    if (output.split) Put(map, "split", Plain("true"));
    if (output.max_shard_size) {
      Put(map, "max_shard_size", Plain(fmt::format("{}", *output.max_shard_size)));
    }
    if (output.files_from && !options_.without_folders) {
      Put(map, "files_from", PathOf(*output.files_from));
    }
    if (output.keep_metadata) Put(map, "metadata", Text("keep"));
    if (!output.metadata.empty()) Put(map, "metadata", MetadataOf(output));
    return map;
  }

  SourceNode DTypeOf(const RecipeOutput& output) const {
    const auto word = [](const std::optional<StoredAs>& stored) {
      return Text(stored ? WordOf(*stored) : "keep");
    };
    return output.dtype.empty() ? word(std::nullopt) : ByPlace(output.dtype, word);
  }

  SourceNode MetadataOf(const RecipeOutput& output) const {
    SourceNode metadata = Block();
    for (const auto& [key, value] : output.metadata) {
      const bool title = key == "modelspec.title";
      Put(metadata, key, Text(title ? WithoutVariables(value) : value));
    }
    return metadata;
  }

  const Recipe& recipe_;
  const ShowOptions& options_;
  std::set<std::string> taken_;
  std::vector<std::string> names_;  ///< parallel to the nodes
};

}  // namespace

std::string ShowRecipe(const Recipe& recipe, const ShowOptions& options) {
  const Recipe used = WithoutUnused(recipe);
  const SourceNode tree = Shown(used, options).Tree();
  return options.form == RecipeForm::kJson ? WriteJson(tree) : WriteYaml(tree);
}

}  // namespace weightsmith::internal
