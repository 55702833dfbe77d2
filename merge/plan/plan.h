// A plan: a task for each tensor, with a product for each output, made from headers alone. Pure
// data: what a run will read, write and hold is known before anything is read, and the executor may
// not exceed it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/safetensors/layout.h"
#include "core/io/byte_source.h"
#include "core/io/configuration_files.h"
#include "core/tensor/gather.h"
#include "merge/adapters/adapter_part.h"
#include "merge/expression/expression.h"
#include "merge/plan/side_file.h"
#include "merge/program/finding.h"
#include "merge/program/program.h"

namespace weightsmith::internal {

/// A run of a task's elements that lie together in a stored tensor, or nowhere.
struct Segment {
  std::uint64_t first = 0;  ///< canonical index of its first element
  std::uint64_t count = 0;
  std::uint64_t stored = 0;  ///< index of its first element in the tensor
  bool zeros = false;        ///< not stored: these elements are zero
};

/// The scale of a tensor that is stored scaled, as it lies in a file.
struct StoredScale {
  std::uint32_t tensor = 0;  ///< index in the checkpoint's tensors()
  std::uint32_t file = 0;    ///< index in Plan::files
  std::uint64_t offset = 0;
  TensorInfo info;
  Grid cells;  ///< of the weight, that each of its numbers is for
};

/// One operand of a task.
struct Source {
  std::uint32_t model = 0;  ///< index in Plan::models
  std::uint32_t part = 0;
  std::uint32_t tensor = 0;  ///< index in the checkpoint's tensors()
  std::uint32_t file = 0;    ///< index in Plan::files
  std::uint64_t offset = 0;  ///< of the tensor's first byte, in the file
  TensorInfo info;           ///< as stored
  /// Not null: the tensor is no run of bytes; runs count their files from `file`.
  std::shared_ptr<const Gather> gather = nullptr;
  /// How canonical elements come from the stored ones, in order; empty: as they lie.
  std::vector<Segment> segments;
  /// What the stored values are multiplied by.
  std::optional<StoredScale> scale{};
  /// The model's moving average of the tensor, and not the tensor itself.
  bool ema = false;
};

/// An operand of a task that adapters make.
struct DeltaSource {
  std::uint32_t model = 0;  ///< index in Plan::models, of the adapter
  Shape shape;              ///< of the tensor
  std::vector<AdapterPart> parts;
  /// What it is to be added with, where parts are not in proportion to it; else 1.
  double strength = 1;
  /// What stands in the tensor's place, and not what is added to it.
  bool replaces = false;
  /// Where parts read the tensor: its value before the adapter, which is kept whole for them.
  std::optional<KeptIndex> weight;
};

/// Values are divided by the scales of their product before they are stored, so that the largest
/// one of each cell fills the dtype.
struct ProductScale {
  Slot slot = kNoSlot;  ///< a number for each cell
  Grid cells{};
  Register unscaled = 0;  ///< the values before that
};

/// The numbers of a slot as a tensor of its own: as many of the first as it has elements, which are
/// none of a marker.
struct SlotTensor {
  Slot slot = kNoSlot;
  Shape shape;

  std::uint64_t elements() const { return ElementCount(shape).value(); }
};

/// One place where a task's result goes.
struct Product {
  std::uint32_t file = 0;    ///< index in Plan::output_files
  std::uint64_t offset = 0;  ///< of the tensor's first byte, in the file
  DType dtype = DType::kF32;
  Register value = 0;                    ///< of the tape
  std::optional<std::uint32_t> copy{};   ///< the source whose bytes it is, unchanged
  std::optional<ProductScale> scale{};   ///< what `value` was divided by already
  std::optional<SlotTensor> numbers{};   ///< it has these, and no values; written with the first
  std::optional<std::uint64_t> noise{};  ///< rounded stochastically, by the noise of this key
  std::string name{};  ///< that its digest goes by: in the file, or inside the component
  /// Not null: the elements go to these places; runs name files of Plan::output_files.
  std::shared_ptr<const Gather> scatter = nullptr;
};

/// A slot that holds numbers of cells; or two that hold a number each, of a survey of totals.
struct SurveyedSlot {
  Slot slot = kNoSlot;
  Slot second = kNoSlot;
  std::uint64_t count = 0;         ///< of numbers
  std::size_t passes_to_keep = 0;  ///< of the task, whose numbers another task needs

  bool operator==(const SurveyedSlot&) const = default;
};

/// The first passes of a task, where a task of a survey makes the same: their numbers are kept, so
/// that they are not made again.
struct SurveyedPasses {
  std::uint32_t survey = 0;   ///< index in Plan::surveys
  std::uint32_t task = 0;     ///< of its plan
  std::size_t count = 0;      ///< of passes
  std::uint64_t numbers = 0;  ///< that they give
};

struct Task {
  std::string name{};  ///< canonical
  std::string component{};
  Shape shape{};
  std::uint64_t elements = 0;
  std::vector<Source> sources{};
  std::vector<DeltaSource> deltas{};  ///< the tape's sources behind those
  std::vector<Source> companions{};  ///< tensors of other names, read whole for functions of passes
  Tape tape{};
  std::vector<Product> products{};
  /// What is computed over all of the tensor before the tape can run, and the values that the tape
  /// reads of it, as sources behind the deltas.
  std::vector<Pass> passes{};
  std::vector<KeptIndex> kept{};
  /// Those of them that are made row by row; each reads those before it alone.
  std::vector<RowValue> rows{};
  Slot slot_count = 0;
  KeptIndex kept_count = 0;
  std::vector<GivenSlot> given{};  ///< slots that surveys fill
  /// Of a task of a survey: the slots whose numbers it is for. It makes nothing else.
  std::optional<SurveyedSlot> surveyed{};
  std::optional<SurveyedPasses> surveyed_passes{};
  Findings findings{};
};

/// How many values of the task are held whole between its passes.
inline std::size_t WholeValues(const Task& task) {
  return task.kept_count - task.rows.size();
}

inline bool IsCopy(const Product& product) {
  return product.copy.has_value();
}

/// Dtype and shape of the tensor that a product makes.
TensorInfo InfoOf(const Task& task, const Product& product);

/// A file that will be written.
struct OutputFilePlan {
  std::filesystem::path path;
  HeaderLayout layout;
  std::uint32_t output = 0;  ///< index in Plan::outputs
};

/// An output of the recipe: one file, or several (shards, components).
struct OutputPlan {
  OutputSpec spec;
  std::vector<std::uint32_t> files;
  std::optional<std::filesystem::path> index;  ///< of shards: the .safetensors.index.json
  std::vector<FileCopy> copies{};              ///< configurations of another model
  std::vector<FileSet::Text> texts{};          ///< configurations of our own, in text_folder
  std::filesystem::path text_folder{};
};

struct StepPlan {
  std::string name;
  std::string op;
  NodeId node = 0;
  bool expects_effect = true;           ///< to change no element is an error
  bool all_weights_zero = false;        ///< by number, not by files: then no effect is a note
  std::optional<std::uint64_t> seed{};  ///< of its random numbers
  /// Tensors that it should have changed and that are copied: stored as integers, or missing in an
  /// operand.
  std::uint64_t integers = 0;
  std::uint64_t missing = 0;
};

/// How the keys of one model went in.
struct ModelKeys {
  std::uint64_t matched = 0;    ///< tensors that are in an output
  std::uint64_t used = 0;       ///< that are read
  std::uint64_t unmatched = 0;  ///< that are in no output
  std::uint64_t ema = 0;        ///< EMA copies that are left out, counted in none of the above
  std::uint64_t averages = 0;   ///< EMA copies that a step reads
  std::vector<std::string> unmatched_names;  ///< the first of them
  bool weight_zero = false;                  ///< every weight of it is exactly 0
};

/// A model whose moving averages a step reads.
struct Averages {
  std::uint32_t model = 0;  ///< index in Plan::models
  std::string name;         ///< "ema(photo)"
};

/// The result as a linear combination of the models and their moving averages, per component.
struct ComponentCoefficients {
  std::string component;
  bool linear = true;   ///< false: an operator that is not linear, or weights that vary inside
  bool uniform = true;  ///< all tensors have the same coefficients
  /// Of the first tensor; parallel to Plan::models, and behind those to Plan::averages.
  std::vector<double> coefficients;
  std::vector<double> lowest;  ///< of any tensor, parallel to them
  std::vector<double> highest;
};

/// A module of an adapter on a tensor, as reports show it.
struct AppliedModule {
  std::uint32_t model = 0;  ///< of the adapter
  std::uint32_t step = 0;   ///< index in Plan::steps
  AdapterPart part;
  std::string tensor;  ///< canonical name
  Shape shape;
  double strength = 1;  ///< by place
};

struct Plan;

/// What is read of all tensors of a step before any of them is computed.
struct Survey {
  std::uint32_t step = 0;            ///< index in Plan::steps
  bool totals = false;               ///< sums are made of its numbers, and no range
  std::shared_ptr<const Plan> plan;  ///< of tasks that give numbers, and of no outputs
};

struct Plan {
  std::vector<Model> models;
  std::vector<std::shared_ptr<const ByteSource>> files;
  std::vector<Task> tasks;  ///< in the order of the input files
  std::vector<OutputPlan> outputs;
  std::vector<OutputFilePlan> output_files;
  std::vector<StepPlan> steps;
  std::vector<Survey> surveys;  ///< in the order of the steps: one may need those before it
  std::vector<AppliedModule> applied;
  std::vector<AdapterClasses> adapters;                          ///< parallel to models
  std::vector<ModelKeys> model_keys;                             ///< parallel to models
  std::vector<Averages> averages;                                ///< in the order of the models
  std::vector<std::vector<ComponentCoefficients>> coefficients;  ///< parallel to outputs
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
  std::vector<SideFile> texts_read;  ///< recipes, tables, configurations that the plan is made from
  Policies policies;

  std::uint64_t bytes_to_read = 0;
  std::uint64_t bytes_to_write = 0;
};

/// The steps, by their index in the plan, that change some tensor by the look of their weights.
std::set<std::uint32_t> ProbedSteps(const Plan& plan);

/// The step of a task that needs to see most at once, of several the first, by its index in the
/// plan; nothing where a task has no steps.
std::optional<std::uint32_t> WidestStep(const Plan& plan, const Task& task);

/// The indices in Task::rows of those that a pass needs, or, from the number of passes on, the one
/// that stores; in their order.
std::vector<std::size_t> RowsRead(const Task& task, std::size_t pass);

/// The companions that functions of the task's passes read.
std::vector<const Source*> CompanionsRead(const Task& task);

/// What coefficients are of, in their order: "photo", "ema(photo)".
std::vector<std::string_view> TermNames(const Plan& plan);

/// By model and part: the tensors that the run reads, by their index in the checkpoint.
std::vector<std::vector<std::set<std::uint32_t>>> TensorsRead(const Plan& plan);

/// What stands for a digest that was not taken.
inline constexpr std::string_view kNoDigest = "00000000000000000000000000000000";

/// Digests of nothing in the shape of the plan's inputs, with the true counts: what metadata is
/// sized by.
RunDigests BlankDigests(const Plan& plan);

/// Fits an expression to its models. Throws kMismatch with every problem that it finds: keys,
/// shapes, architectures, kinds of prediction, places without a weight; kNoEffect for a model that
/// matched nothing.
Plan MakePlan(const Expression& expression, std::vector<OutputSpec> outputs);

}  // namespace weightsmith::internal
