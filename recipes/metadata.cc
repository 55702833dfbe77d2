#include "recipes/metadata.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "recipes/show.h"

namespace weightsmith {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostAncestors = std::size_t{256} << 10;  ///< bytes

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string FileName(const Checkpoint& checkpoint) {
  const std::filesystem::path path = checkpoint.path().lexically_normal();
  return (path.has_filename() ? path.filename() : path.parent_path().filename()).string();
}

/// An input, all of it but its digest.
struct InputRecord {
  Json fields;
  std::size_t model = 0;
  std::size_t part = 0;
};

std::vector<InputRecord> RecordInputs(const Expression& expression, const ModelOpener& opener) {
  std::vector<InputRecord> records;
  for (std::size_t m = 0; m < expression.models.size(); ++m) {
    const Model& model = expression.models[m];
    for (std::size_t p = 0; p < model.parts.size(); ++p) {
      const Model::Part& part = model.parts[p];
      InputRecord record{{{"name", model.name}}, m, p};
      if (part.component) record.fields["component"] = *part.component;
      record.fields["file"] = FileName(*part.checkpoint);
      record.fields["size"] = part.checkpoint->size();
      if (const FileHashes* hashes = opener.HashesOf(*part.checkpoint)) {
        record.fields["sha256"] = hashes->sha256;
      }
      records.push_back(std::move(record));
    }
  }
  return records;
}

std::string InputsText(const std::vector<InputRecord>& records, const RunDigests& digests) {
  Json inputs = Json::array();
  for (const InputRecord& record : records) {
    const RunDigests::Input& read = digests.inputs[record.model][record.part];
    Json input = record.fields;
    input["digest"] = read.digest;
    input["tensors"] = fmt::format("{} of {}", read.tensors_read, read.tensors);
    inputs.push_back(std::move(input));
  }
  return Dump(inputs);
}

/// Adds an input's own history, and what it knows of its ancestors, once each.
void AddAncestors(const Metadata& metadata, Json& ancestors) {
  const auto text = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  const auto add = [&](const std::string& digest, const Json& history) {
    if (ancestors.contains(digest)) return;
    ancestors[digest] = history;
    if (Dump(ancestors).size() > kMostAncestors) ancestors.erase(digest);
  };
  const std::string digest = text("weightsmith.digest");
  const Json inputs = Json::parse(text("weightsmith.inputs"), nullptr, false);
  if (digest.empty() || inputs.is_discarded()) return;
  add(digest, {{"recipe", text("weightsmith.recipe")}, {"inputs", inputs}});
  const Json older = Json::parse(text("weightsmith.ancestors"), nullptr, false);
  if (!older.is_object()) return;
  for (const auto& [key, history] : older.items()) add(key, history);
}

Json Ancestors(const Expression& expression) {
  Json ancestors = Json::object();
  for (const Model& model : expression.models) {
    for (const Model::Part& part : model.parts) {
      if (part.checkpoint->metadata()) AddAncestors(*part.checkpoint->metadata(), ancestors);
    }
  }
  return ancestors;
}

/// What programs of the Stable Diffusion world look for, by SHA-256.
void AddMergeModels(const std::vector<InputRecord>& records, const Expression& expression,
                    const ModelOpener& opener, const std::string& recipe, Metadata& metadata) {
  Json models = Json::object();
  for (const InputRecord& record : records) {
    if (!record.fields.contains("sha256")) continue;
    const Checkpoint& checkpoint = *expression.models[record.model].parts[record.part].checkpoint;
    const FileHashes& hashes = *opener.HashesOf(checkpoint);
    models[hashes.sha256] = {{"name", FileName(checkpoint)},
                             {"legacy_hash", hashes.autov1},
                             {"sd_merge_recipe", nullptr}};
  }
  if (models.empty()) return;
  metadata["sd_merge_models"] = Dump(models);
  metadata["sd_merge_recipe"] = Dump({{"type", "weightsmith"}, {"recipe", recipe}});
}

/// The leftmost model below a node.
std::size_t LeftmostModel(const Expression& expression, NodeId root) {
  const Node* node = &expression.nodes[root];
  while (!node->leaf()) {
    node = &expression.nodes[node->operands.empty() ? node->list.front() : node->operands.front()];
  }
  return *node->model;
}

std::string ArchitectureOf(const Expression& expression, NodeId root) {
  for (const Model::Part& part : expression.models[LeftmostModel(expression, root)].parts) {
    if (const std::string_view word = part.anatomy.Modelspec(); !word.empty()) {
      return std::string(word);
    }
  }
  return {};
}

}  // namespace

MetadataMaker MakeMetadata(const Recipe& used, std::size_t output, const Expression& expression,
                           const ModelOpener& opener, const RecipeOptions& options) {
  Metadata fixed{{"format", "pt"}};
  const std::string architecture = ArchitectureOf(expression, used.outputs[output].root);
  if (!architecture.empty()) fixed["modelspec.architecture"] = architecture;
  if (options.private_metadata) return [fixed](const RunDigests&) { return fixed; };

  for (const auto& [key, value] : used.outputs[output].metadata) fixed[key] = value;
  if (!architecture.empty()) fixed.emplace("modelspec.sai_model_spec", "1.0.0");
  fixed["weightsmith.version"] = WEIGHTSMITH_VERSION;
  fixed["weightsmith.recipe"] = ShowRecipe(used, {.without_folders = true, .output = output});
  if (const Json ancestors = Ancestors(expression); !ancestors.empty()) {
    fixed["weightsmith.ancestors"] = Dump(ancestors);
  }
  const std::vector<InputRecord> records = RecordInputs(expression, opener);
  AddMergeModels(records, expression, opener, fixed["weightsmith.recipe"], fixed);
  return [fixed, records](const RunDigests& digests) {
    Metadata metadata = fixed;
    metadata["weightsmith.inputs"] = InputsText(records, digests);
    metadata["weightsmith.digest"] = digests.output;
    return metadata;
  };
}

}  // namespace weightsmith
