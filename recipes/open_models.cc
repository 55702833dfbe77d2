#include "recipes/open_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/open_as_stored.h"
#include "core/model/positions.h"
#include "core/model/pruned.h"
#include "core/model/text_encoders.h"
#include "core/model/views/canonical_view.h"
#include "merge/expression/places.h"
#include "recipes/assembly.h"
#include "recipes/parser/advice.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

std::string_view Digits(const FileHashes& hashes, std::string_view kind) {
  if (kind == "sha256") return hashes.sha256;
  if (kind == "autov1") return hashes.autov1;
  if (kind == "autov2") return hashes.autov2;
  return hashes.autov3;
}

bool Fits(const FileHashes& hashes, const std::vector<HashPin>& pins) {
  return std::ranges::all_of(
      pins, [&](const HashPin& pin) { return Digits(hashes, pin.kind) == pin.digits; });
}

bool CouldBeModel(const fs::path& path) {
  static constexpr std::array<std::string_view, 5> kExtensions{".safetensors", ".ckpt", ".pt",
                                                               ".pth", ".bin"};
  return std::ranges::find(kExtensions, path.extension().string()) != kExtensions.end();
}

/// Every file below the folders that could be a model, in a fixed order.
std::vector<fs::path> ModelFiles(const std::vector<fs::path>& folders) {
  std::set<fs::path> files;
  for (const fs::path& folder : folders) {
    std::error_code error;
    const auto options = fs::directory_options::skip_permission_denied |
                         fs::directory_options::follow_directory_symlink;
    fs::recursive_directory_iterator it(folder, options, error);
    for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      if (it.depth() > 16) it.disable_recursion_pending();
      std::error_code status;
      if (CouldBeModel(it->path()) && it->is_regular_file(status)) {
        files.insert(it->path());
      }
    }
  }
  return {files.begin(), files.end()};
}

std::string DescribePins(const std::vector<HashPin>& pins) {
  std::string words;
  for (const HashPin& pin : pins) {
    if (!words.empty()) words += ", ";
    words += pin.kind + " " + pin.digits;
  }
  return words;
}

using Components = std::set<std::pair<std::string, ComponentKind>>;

/// What a place sees of components.
std::vector<TensorPlace> PlacesOf(const Components& components, const Architecture* architecture) {
  std::vector<TensorPlace> places;
  for (const auto& [name, kind] : components) {
    places.push_back({"", name, kind, TextEncoderNumber(architecture, name)});
  }
  return places;
}

/// Components that a word of a recipe stands for.
std::vector<std::string> Meant(const std::string& word, std::span<const TensorPlace> places) {
  std::string problem;
  const auto selector = Selector::Parse(word, problem);
  std::vector<std::string> names;
  for (const TensorPlace& place : places) {
    if (selector && selector->Matches(place)) names.emplace_back(place.component);
  }
  return names;
}

/// The components of a file that `word` means; the only encoder of a file is whichever is asked
/// for.
std::vector<std::string> ComponentsOfFile(const std::string& word, const Anatomy& anatomy) {
  if (anatomy.FindComponent(word) != nullptr) return {word};
  Components components;
  for (const ComponentAnatomy& component : anatomy.components) {
    components.emplace(component.name, component.kind);
  }
  const std::vector<TensorPlace> places = PlacesOf(components, anatomy.architecture);
  std::vector<std::string> names = Meant(word, places);
  const bool by_number = word == "te1" || word == "te2" || word == "te3";
  if (!names.empty() || !by_number || anatomy.architecture != nullptr) return names;
  for (const TensorPlace& place : places) {
    if (place.kind == ComponentKind::kText) names.emplace_back(place.component);
  }
  return names.size() == 1 ? names : std::vector<std::string>();
}

std::string NamesIn(const Anatomy& anatomy) {
  std::vector<std::string> names;
  for (const ComponentAnatomy& component : anatomy.components) names.push_back(component.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Whether a file is at fault that the recipe names.
bool IsOfFile(const Error& error) {
  return error.code() == ErrorCode::kInput || error.code() == ErrorCode::kHash ||
         error.code() == ErrorCode::kMismatch;
}

/// Leaves the one of several adapters of a file that is meant.
void ChooseAdapter(const std::string& name, Adapter& adapter) {
  const std::vector<std::string> names(adapter.names.begin(), adapter.names.end());
  if (!adapter.names.contains(name)) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("the file holds the adapters {}{}", fmt::join(names, ", "),
                            name.empty() ? "" : fmt::format(", and none called {}", Quote(name))),
                "Write which one is meant: {path: …, adapter: NAME}.");
  }
  std::erase_if(adapter.modules, [&](const AdapterModule& module) { return module.name != name; });
}

}  // namespace

namespace {

/// Of all models together, and the architecture of the first that is known.
std::pair<Components, const Architecture*> ComponentsOf(std::span<const Model> models) {
  std::pair<Components, const Architecture*> all;
  for (const Model& model : models) {
    for (const Model::Part& part : model.parts) {
      if (all.second == nullptr) all.second = part.anatomy.architecture;
      for (const ComponentAnatomy& component : part.anatomy.components) {
        if (part.component && *part.component != component.name) continue;
        all.first.emplace(component.name, component.kind);
      }
    }
  }
  return all;
}

}  // namespace

std::vector<std::string> ComponentsNamed(const std::string& word, std::span<const Model> models) {
  const auto [components, architecture] = ComponentsOf(models);
  return Meant(word, PlacesOf(components, architecture));
}

std::string ComponentsInWords(std::span<const Model> models) {
  const auto [components, architecture] = ComponentsOf(models);
  std::vector<std::string> words;
  for (const TensorPlace& place : PlacesOf(components, architecture)) {
    words.push_back(place.text_encoder == 0
                        ? std::string(place.component)
                        : fmt::format("{} (te{})", place.component, place.text_encoder));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

Model ModelOpener::OpenAdapter(const RecipeModel& model) {
  Model opened;
  opened.name = model.name;
  opened.allow_unmatched = model.allow_unmatched;
  const auto checkpoint = OpenFile(model.parts.front().file, Names::kOwn);
  Adapter adapter = ReadAdapter(*checkpoint);
  if (!model.peft_name.empty() || adapter.names.size() > 1) ChooseAdapter(model.peft_name, adapter);
  opened.adapter = std::make_shared<const Adapter>(std::move(adapter));
  Anatomy anatomy;
  anatomy.components.emplace_back().name = "other";
  anatomy.tensors.resize(checkpoint->tensors().size());
  opened.parts.push_back({checkpoint, std::move(anatomy), std::nullopt});
  return opened;
}

Model ModelOpener::OpenAssembly(const RecipeModel& model) {
  PartFiles parts;
  for (const RecipeModel::Part& part : model.parts) {
    const std::string& name = part.component.value();
    parts[name] = OpenFile(part.file, IsLoosePart(name) ? Names::kOwn : Names::kCanonical);
  }
  const auto checkpoint = Assembled(model.like, parts);
  if (options_.sha256) Hash(*checkpoint);
  Model opened{.name = model.name, .parts = {}};
  opened.parts.push_back({checkpoint, Examine(*checkpoint), std::nullopt});
  return opened;
}

void ModelOpener::OpenPart(const RecipeModel::Part& part, Model& model) {
  const auto checkpoint = OpenFile(part.file);
  const Anatomy anatomy = Examine(*checkpoint);
  if (!part.component) {
    model.parts.push_back({checkpoint, anatomy, std::nullopt});
    return;
  }
  const std::vector<std::string> names = ComponentsOfFile(*part.component, anatomy);
  if (names.empty()) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("{} has no {}: it holds {}", Quote(checkpoint->path().string()),
                            *part.component, NamesIn(anatomy)));
  }
  for (const std::string& name : names) model.parts.push_back({checkpoint, anatomy, name});
}

Model ModelOpener::Open(const RecipeModel& model, Diagnostics& diagnostics) {
  Model opened;
  opened.name = model.name;
  const std::string what =
      fmt::format("{} {}", model.adapter ? "adapter" : "model", Quote(model.name));
  if (!model.like.empty()) {
    try {
      return WithContext(what, [&] { return OpenAssembly(model); });
    } catch (const Error& error) {
      const bool of_text = error.code() == ErrorCode::kUsage;
      if (!of_text && !IsOfFile(error)) throw;
      diagnostics.AddError(model.place, error);
      return opened;
    }
  }
  for (const RecipeModel::Part& part : model.parts) {
    try {
      WithContext(what, [&] {
        if (model.adapter) {
          opened = OpenAdapter(model);
        } else {
          OpenPart(part, opened);
        }
      });
    } catch (const Error& error) {
      if (!IsOfFile(error)) throw;
      diagnostics.AddError(part.file.place,
                           part.file.path
                               ? WithFileAdvice(error, *part.file.path, OriginOf(part.file.place))
                               : error);
    }
  }
  return opened;
}

const FileHashes* ModelOpener::HashesOf(const Checkpoint& checkpoint) const {
  const auto found = hashes_.find(&checkpoint);
  return found == hashes_.end() ? nullptr : &found->second;
}

std::shared_ptr<const Checkpoint> ModelOpener::Read(const FileReference& file, const fs::path& path,
                                                    Names names) const {
  const bool canonical = names == Names::kCanonical;
  const auto given = options_.opened.find(path);
  std::shared_ptr<const Checkpoint> checkpoint;
  const bool opened =
      given != options_.opened.end() && (file.key.empty() || file.key == given->second->key());
  if (opened) {
    checkpoint = canonical ? CanonicalView(given->second) : given->second;
  } else if (canonical) {
    checkpoint = OpenCanonical(path, options_.io, file.key);
  } else {
    // Factors are read once each, in bulk.
    checkpoint = OpenAsStored(path, options_.io.value_or(IoBackend::kRead), file.key);
  }
  if (file.prune) checkpoint = Pruned(*checkpoint, Examine(*checkpoint));
  if (file.fix) checkpoint = WithRightPositions(*checkpoint, Examine(*checkpoint)).checkpoint;
  return checkpoint;
}

std::shared_ptr<const Checkpoint> ModelOpener::OpenFile(const FileReference& file, Names names) {
  const fs::path path = Locate(file);
  std::shared_ptr<const Checkpoint>& checkpoint =
      open_[{path.lexically_normal(), file.key, names, file.prune, file.fix}];
  if (checkpoint == nullptr) checkpoint = Read(file, path, names);
  const bool in_memory = !checkpoint->files().empty() && checkpoint->files()[0]->substituted();
  if (in_memory || (file.pins.empty() && !options_.sha256)) return checkpoint;
  const FileHashes& hashes = Hash(*checkpoint);
  for (const HashPin& pin : file.pins) {
    const std::string_view found = Digits(hashes, pin.kind);
    if (found == pin.digits) continue;
    throw Error(ErrorCode::kHash,
                fmt::format("{} has the {} {}, and the recipe expects {}", Quote(path.string()),
                            pin.kind, found.empty() ? "(none)" : found, pin.digits),
                "It is another file than the recipe was written for, or a damaged one.");
  }
  return checkpoint;
}

const FileHashes& ModelOpener::Hash(const Checkpoint& checkpoint) {
  const auto [entry, added] = hashes_.try_emplace(&checkpoint);
  if (!added) return entry->second;
  // Bytes that the program made, of arrays of numpy or for a view, are no file's.
  const auto own = [](const auto& file) { return !file->substituted(); };
  if (std::ranges::count_if(checkpoint.files(), own) == 1) {
    return entry->second = cache_.Hash(**std::ranges::find_if(checkpoint.files(), own));
  }
  std::vector<std::pair<std::string, std::string>> shards;
  for (const auto& file : checkpoint.files()) {
    if (!own(file)) continue;
    shards.emplace_back(file->path().filename().string(), cache_.Hash(*file).sha256);
  }
  entry->second.sha256 = HashShardSet(shards);
  entry->second.autov2 = entry->second.sha256.substr(0, 10);
  return entry->second;
}

fs::path ModelOpener::Locate(const FileReference& file) {
  if (file.path) return *file.path;
  std::size_t looked = 0;
  if (const auto found = Search(file.pins, looked)) return *found;
  const std::string what = DescribePins(file.pins);
  if (options_.model_folders.empty()) {
    throw Error(ErrorCode::kInput,
                fmt::format("there is no folder to look for the file with {} in", what),
                "Give the model a path.", {Option::kModelFolders});
  }
  std::vector<std::string> folders;
  for (const fs::path& folder : options_.model_folders) folders.push_back(folder.string());
  throw Error(ErrorCode::kInput, fmt::format("no file with {} among the {} model files in {}", what,
                                             looked, fmt::join(folders, ", ")));
}

std::optional<fs::path> ModelOpener::Search(const std::vector<HashPin>& pins, std::size_t& looked) {
  const std::vector<fs::path> files = ModelFiles(options_.model_folders);
  looked = files.size();
  std::vector<fs::path> unknown;
  for (const fs::path& path : files) {
    const auto identity = IdentifyFile(path);
    const auto known = identity ? cache_.Find(*identity) : std::nullopt;
    if (!known) {
      unknown.push_back(path);
    } else if (Fits(*known, pins)) {
      return path;
    }
  }
  for (const fs::path& path : unknown) {
    if (Fits(cache_.Hash(*OpenByteSource(path, options_.io)), pins)) return path;
  }
  return std::nullopt;
}

}  // namespace weightsmith::internal
