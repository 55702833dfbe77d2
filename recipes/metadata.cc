#include "recipes/metadata.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/json-inl.h"
#include "core/base/version.h"
#include "recipes/history.h"
#include "recipes/show.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModelspecVersion = "1.0.1";

/// Names of files may be any bytes, the values of metadata may not.
std::string AsUtf8(const std::string& text) {
  return ParseJson(ToLine(text)).get<std::string>();
}

std::string FileName(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  return AsUtf8((normal.has_filename() ? normal : normal.parent_path()).filename().string());
}

/// "photo" of "photo.safetensors" and "photo.safetensors.index.json"; of a folder its name.
std::string Stem(const fs::path& path) {
  std::string name = FileName(path);
  for (const std::string_view ending : {".index.json", ".safetensors"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  return name;
}

/// The models below an output, the leftmost first.
std::vector<std::size_t> ModelsOf(const RecipeOutput& output, const Expression& expression) {
  std::vector<NodeId> open;
  for (const auto& [component, node] : output.components) open.push_back(node);
  open.push_back(output.root);
  std::vector<bool> seen(expression.nodes.size());
  std::vector<std::size_t> models;
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    if (seen[id]) continue;
    seen[id] = true;
    const Node& node = expression.nodes[id];
    if (node.leaf()) models.push_back(*node.model);
    open.insert(open.end(), node.list.rbegin(), node.list.rend());
    open.insert(open.end(), node.operands.rbegin(), node.operands.rend());
  }
  return models;
}

/// What is known of the part of a model that says most: the first of a known architecture.
const Anatomy& AnatomyOf(const Model& model) {
  const auto known = std::ranges::find_if(
      model.parts, [](const Model::Part& part) { return part.anatomy.architecture != nullptr; });
  return (known == model.parts.end() ? model.parts.front() : *known).anatomy;
}

std::string MergedFrom(const std::vector<std::size_t>& models, const Expression& expression) {
  std::vector<std::string> names;
  for (const std::size_t model : models) {
    for (const Model::Part& part : expression.models[model].parts) {
      std::string name = Stem(part.checkpoint->path());
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void AddModelspec(const RecipeOutput& output, const fs::path& path, const Expression& expression,
                  Metadata& metadata) {
  const std::vector<std::size_t> models = ModelsOf(output, expression);
  const Anatomy& anatomy = AnatomyOf(expression.models[models.front()]);
  metadata.emplace("modelspec.sai_model_spec", kModelspecVersion);
  metadata.emplace("modelspec.title", Stem(path));
  metadata.emplace("modelspec.merged_from", MergedFrom(models, expression));
  if (anatomy.architecture != nullptr && !anatomy.architecture->implementation.empty()) {
    metadata.emplace("modelspec.implementation", anatomy.architecture->implementation);
  }
  if (anatomy.prediction == Prediction::kEpsilon) {
    metadata.emplace("modelspec.prediction_type", "epsilon");
  } else if (anatomy.prediction == Prediction::kV) {
    metadata.emplace("modelspec.prediction_type", "v");
  }
}

/// The recipe with the files of its models by component, under the names that weightsmith.inputs
/// has: "te" is not enough to find a file by.
std::string RecordedRecipe(const Recipe& used, const Expression& expression) {
  Recipe recorded = used;
  for (std::size_t m = 0; m < recorded.models.size(); ++m) {
    std::vector<RecipeModel::Part>& written = recorded.models[m].parts;
    // Assembled ones are one file here.
    if (!written.front().component || !recorded.models[m].like.empty()) continue;
    std::vector<RecipeModel::Part> parts;
    for (const Model::Part& part : expression.models[m].parts) {
      parts.push_back({.component = part.component, .file = {.path = part.checkpoint->path()}});
    }
    written = std::move(parts);
  }
  return ShowRecipe(recorded, {.without_folders = true});
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
      record.fields["file"] = FileName(part.checkpoint->path());
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
    input["tensors_read"] = read.tensors_read;
    input["tensors"] = read.tensors;
    inputs.push_back(std::move(input));
  }
  return ToLine(inputs);
}

void AddAncestors(const Expression& expression, Metadata& metadata) {
  std::vector<Metadata> inputs;
  for (const Model& model : expression.models) {
    for (const Model::Part& part : model.parts) {
      if (part.checkpoint->metadata()) inputs.push_back(*part.checkpoint->metadata());
    }
  }
  std::string text = AncestorsText(inputs);
  if (!text.empty()) metadata["weightsmith.ancestors"] = std::move(text);
}

/// What programs of the Stable Diffusion world look for; it is theirs only when it is complete.
void AddSdMerge(const Expression& expression, const ModelOpener& opener, Metadata& metadata) {
  std::vector<MergedFile> files;
  for (const Model& model : expression.models) {
    for (const Model::Part& part : model.parts) {
      const FileHashes* hashes = opener.HashesOf(*part.checkpoint);
      if (hashes == nullptr) return;
      files.push_back({FileName(part.checkpoint->path()), hashes->sha256, hashes->autov1,
                       part.checkpoint->metadata().value_or(Metadata())});
    }
  }
  metadata["sd_merge_models"] = SdMergeModelsText(files);
  metadata["sd_merge_recipe"] =
      ToLine({{"type", "weightsmith"}, {"recipe", metadata.at("weightsmith.recipe")}});
}

/// What a model's file says of itself, as far as it is still true of what is made of it.
Metadata KeptMetadata(const Model& model) {
  Metadata kept{{"format", "pt"}};
  for (const auto& [key, value] : model.parts.front().checkpoint->metadata().value_or(Metadata())) {
    if (!key.starts_with("weightsmith.") && key != "modelspec.hash_sha256") kept[key] = value;
  }
  return kept;
}

}  // namespace

MetadataMaker MakeMetadata(const Recipe& used, std::size_t output, const Expression& expression,
                           const ModelOpener& opener, const RecipeOptions& options) {
  const RecipeOutput& written = used.outputs[output];
  Metadata fixed{{"format", "pt"}};
  const std::size_t leftmost = ModelsOf(written, expression).front();
  const std::string architecture(AnatomyOf(expression.models[leftmost]).Modelspec());
  if (!architecture.empty()) fixed["modelspec.architecture"] = architecture;
  if (written.keep_metadata && !options.private_metadata) {
    fixed = KeptMetadata(expression.models[leftmost]);
  }
  if (written.keep_metadata || options.private_metadata) {
    return [fixed](const RunDigests&) { return fixed; };
  }

  for (const auto& [key, value] : written.metadata) fixed[key] = value;
  AddModelspec(written, written.path ? *written.path : options.output_path.value_or(fs::path()),
               expression, fixed);
  fixed["weightsmith.version"] = Version();
  fixed["weightsmith.recipe"] = RecordedRecipe(used, expression);
  AddAncestors(expression, fixed);
  AddSdMerge(expression, opener, fixed);
  return [fixed, records = RecordInputs(expression, opener)](const RunDigests& digests) {
    Metadata metadata = fixed;
    metadata["weightsmith.inputs"] = InputsText(records, digests);
    metadata["weightsmith.digest"] = digests.output;
    return metadata;
  };
}

}  // namespace weightsmith::internal
