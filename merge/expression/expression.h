// The graph of steps over models, with every name, kind and policy resolved: what a recipe means
// before it meets the tensors. recipes/ builds it; merge/plan turns it into tasks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/anatomy.h"
#include "core/model/output_layout.h"
#include "core/tensor/encoding.h"
#include "core/tensor/rounding.h"
#include "merge/adapters/adapter.h"
#include "merge/expression/places.h"
#include "merge/expression/tensor_filter.h"
#include "merge/operator.h"

namespace weightsmith::internal {

/// A model as recipes name it: one checkpoint, or one for each of several components.
struct Model {
  struct Part {
    std::shared_ptr<const Checkpoint> checkpoint;
    Anatomy anatomy;
    /// Only this component of the file is taken; nothing: all of it.
    std::optional<std::string> component;
  };
  std::string name;
  std::vector<Part> parts;

  /// Not null: no model but an adapter, whose only part is its file. Its leaf is a delta.
  std::shared_ptr<const Adapter> adapter = nullptr;
  /// A regular expression of the adapter's modules that need not be for the model; empty: none.
  std::string allow_unmatched = {};
};

enum class MissingPolicy : std::uint8_t { kError, kKeep, kDrop };
enum class InputChannelsPolicy : std::uint8_t { kError, kKeepExtra };
enum class NonFinitePolicy : std::uint8_t { kError, kSaturate, kAllow };
enum class EffectPolicy : std::uint8_t { kError, kAny };
enum class PredictionPolicy : std::uint8_t { kError, kAllow };
enum class EmaPolicy : std::uint8_t { kDrop, kKeep };
/// Modules of an adapter that are for a component which the model does not carry.
enum class ElsewherePolicy : std::uint8_t { kNote, kError };
/// Which keys a block's name means: as rows and lists have it, or one way for both.
enum class BlocksPolicy : std::uint8_t { kByForm, kClean, kSuperMerger };

/// recipe.md §6. Those of the whole recipe; a step may have its own.
struct Policies {
  PlaceMap<MissingPolicy> missing{MissingPolicy::kError};
  InputChannelsPolicy input_channels = InputChannelsPolicy::kError;
  NonFinitePolicy non_finite = NonFinitePolicy::kError;  ///< recipe only
  EffectPolicy effect = EffectPolicy::kError;
  PredictionPolicy prediction = PredictionPolicy::kError;
  BlocksPolicy blocks = BlocksPolicy::kByForm;
  EmaPolicy ema = EmaPolicy::kDrop;                    ///< recipe only
  ElsewherePolicy elsewhere = ElsewherePolicy::kNote;  ///< recipe only
  Precision precision = Precision::kF32;               ///< recipe only
};

using NodeId = std::uint32_t;

/// Values by place of a parameter or a weight. A parameter that is not a number by place (a
/// boolean, an optional number left out) is one value everywhere.
using Weights = PlaceMap<double>;

/// Layers of a model by their numbers, both included.
struct LayerRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

struct Node {
  std::string name;  ///< of the model or step; of an inline step "mix.a"
  Kind kind = Kind::kWeight;
  std::optional<std::uint32_t> model;  ///< a leaf: index in Expression::models

  // A step; unused in a leaf.
  const Operator* op = nullptr;
  std::vector<NodeId> operands;
  std::vector<NodeId> list;
  std::vector<Weights> weights;     ///< of list entries; empty unless the list is weighted
  std::vector<Weights> parameters;  ///< parallel to op->parameters
  /// Of list entries, parallel to EntryNumbers(*op); NaN everywhere is left out. Empty where there
  /// are none.
  std::vector<std::vector<Weights>> entry_numbers;
  std::vector<TensorFilter> where;  ///< which tensors it acts on, where it takes that
  /// Of list entries, where they are layers; nothing: all of them.
  std::vector<std::optional<LayerRange>> layers;
  Policies policies;

  bool leaf() const { return model.has_value(); }
};

/// All values by place of a step, with their names.
template <class Visitor>
void ForEachWeights(const Node& step, const Visitor& visit) {
  for (std::size_t i = 0; i < step.parameters.size(); ++i) {
    visit(step.parameters[i], step.op->parameters[i].name);
  }
  for (const Weights& weights : step.weights) {
    visit(weights, step.op->list->adapters ? "strength" : "weight");
  }
  if (step.entry_numbers.empty()) return;
  const std::vector<const ParameterSpec*> specs = EntryNumbers(*step.op);
  for (const std::vector<Weights>& entry : step.entry_numbers) {
    for (std::size_t i = 0; i < entry.size(); ++i) visit(entry[i], specs[i]->name);
  }
}

/// The seed of a step's random numbers; nothing of one that draws none.
std::optional<std::uint64_t> SeedOf(const Node& step);
/// Whether it may have the seed of another step.
bool SharesSeed(const Node& step);

/// Operands precede their users.
struct Expression {
  std::vector<Model> models;
  std::vector<Node> nodes;
  Policies policies;
};

/// What a run learned about its inputs and outputs, for the metadata of an output.
struct RunDigests {
  /// By model and part: digest of the tensors that were read, how many of how many.
  struct Input {
    std::string digest;  ///< 32 hexadecimal digits
    std::uint64_t tensors_read = 0;
    std::uint64_t tensors = 0;
  };
  std::vector<std::vector<Input>> inputs;
  /// Of the tensors of the file whose metadata this is.
  std::string output;
};

/// Makes an output's metadata. Called with zero digests to size the header and with the real ones
/// at the end: its length must not depend on the digests.
using MetadataMaker = std::function<std::optional<Metadata>(const RunDigests&)>;

struct OutputSpec {
  NodeId root = 0;
  std::map<std::string, NodeId> components;  ///< component -> the node it comes from instead
  std::filesystem::path path;                ///< of the file; of the folder where there are several
  /// Row value nothing: keep the dtype of the leftmost leaf. Empty map: keep everywhere.
  PlaceMap<std::optional<StoredAs>> dtype;
  Rounding rounding{};
  OutputLayout layout = OutputLayout::kKeep;
  bool split = false;
  std::optional<std::uint64_t> max_shard_size;
  std::optional<std::filesystem::path> files_from;
  MetadataMaker metadata;
};

}  // namespace weightsmith::internal
