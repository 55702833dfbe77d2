// Models that are computed when they are asked for: files, and what operators make of them.
//
//   const Model mix = Apply("weighted_sum", {Model::Open("a.safetensors"),
//                                            Model::Open("b.safetensors")}, {{"alpha", 0.3}});
//   mix.Bake("detail.safetensors", 0.6).Save("mix.safetensors");
//
// A whole expression is one pass over the files, with intermediate results in f32 that are rounded
// once.
#pragma once

#include <weightsmith/checkpoint.h>
#include <weightsmith/plan.h>
#include <weightsmith/report.h>
#include <weightsmith/run.h>
#include <weightsmith/tensor.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weightsmith {

namespace internal {
struct ModelNode;
}

class Value;

/// Values by place, where the more specific one wins: {"default", 0.3}, {"te", 0},
/// {"unet.in.3", 0.7}. A list of numbers varies linearly over a range of blocks.
using ByPlace = std::vector<std::pair<std::string, Value>>;

/// A value as a recipe writes it: a number, a boolean, a word or the name of a preset ("GRAD_V"), a
/// list of numbers (block weights in the community's order), or values by place.
class Value {
 public:
  using List = std::vector<double>;
  using Any = std::variant<double, std::int64_t, bool, std::string, List, ByPlace>;

  template <std::floating_point T>
  Value(T number) : value_(static_cast<double>(number)) {}
  template <std::integral T>
  Value(T number) {
    if constexpr (std::same_as<T, bool>) {
      value_ = number;
    } else {
      value_ = static_cast<std::int64_t>(number);
    }
  }
  Value(const char* word) : value_(std::string(word)) {}
  Value(std::string word) : value_(std::move(word)) {}
  Value(DType dtype) : value_(std::string(Info(dtype).word)) {}
  Value(List numbers) : value_(std::move(numbers)) {}
  Value(ByPlace places) : value_(std::move(places)) {}

  [[nodiscard]] const Any& any() const { return value_; }

 private:
  Any value_;
};

/// By the names that the operator declares (tables.h).
using Parameters = std::map<std::string, Value>;

/// What is done where models do not fit: {"missing", "keep"}, as the key `policy` of a recipe.
using Policies = std::map<std::string, Value>;

/// A file of a LoRA, or of another adapter, and how strongly it is baked in.
struct Adapter {
  std::filesystem::path path;
  Value strength = 1.0;                 ///< a number, by place or in the community's order
  std::optional<double> te_strength{};  ///< in the text encoders; nothing: the same
  std::string allow_unmatched{};        ///< a regular expression of modules that may change nothing
  std::string adapter{};  ///< the name of the one that is meant, where PEFT saved several
};

struct SaveOptions;

/// A handle: copies are cheap and are the same model, and any number of threads may use one. The
/// files that it is made of stay open as long as it lives. What looks at a model or computes it
/// throws kUsage for values that make no sense (as RecipeError, with each problem, where a recipe
/// would have it), kMismatch or kNoEffect where models do not fit each other, and kInterrupted
/// where it was stopped.
class Model {
 public:
  /// A file or folder, by Checkpoint::Open, which throws what that does.
  [[nodiscard]] static Model Open(const std::filesystem::path& path, const std::string& key = {});
  [[nodiscard]] static Model Of(const Checkpoint& checkpoint);
  /// The difference that an adapter makes, for operators that take one; its strengths are ignored.
  /// The file is opened when the model is planned.
  [[nodiscard]] static Model Of(const Adapter& adapter);

  explicit Model(std::shared_ptr<const internal::ModelNode> node) : node_(std::move(node)) {}

  /// The same with adapters added, one after another.
  [[nodiscard]] Model Bake(const std::vector<Adapter>& adapters) const;
  [[nodiscard]] Model Bake(const std::filesystem::path& adapter, Value strength = 1.0) const;
  /// The same under policies of the whole, instead of any that it had. They are not handed on to
  /// what is made of it: a Step has its own.
  [[nodiscard]] Model With(Policies policies) const;

  /// The names of the tensors that would be written, sorted byte-wise. Headers are read by the
  /// first call of these three, and the reference is good as long as the model.
  [[nodiscard]] const std::vector<std::string>& names() const;
  [[nodiscard]] bool Contains(std::string_view name) const;
  /// Computes that one tensor, on the calling thread and in memory: the bytes that Save writes.
  /// Throws kMismatch for a name that it does not have.
  [[nodiscard]] Tensor operator[](std::string_view name) const;

  /// All tensors, computed in memory.
  [[nodiscard]] Checkpoint Compute(const RunOptions& options = {}) const;
  /// What computing it would read, hold and write: from headers alone.
  [[nodiscard]] weightsmith::Plan Plan(const RunOptions& options = {}) const;
  /// The recipe, YAML, with everything that is left open here as it would be. Throws kUsage for a
  /// model of tensors in memory, which no recipe can name.
  [[nodiscard]] std::string ToRecipe() const;
  /// Computes it and writes it, streamed: the file appears complete or not at all. Throws kUsage
  /// for an output that exists or is an input, kFailed while writing, kResources for too little
  /// memory or disk.
  Report Save(const std::filesystem::path& path) const;
  Report Save(const std::filesystem::path& path, const SaveOptions& options,
              const RunOptions& run = {}) const;

  /// For the library itself.
  [[nodiscard]] const std::shared_ptr<const internal::ModelNode>& state() const { return node_; }

 private:
  std::shared_ptr<const internal::ModelNode> node_;
};

/// What becomes of a model that is written, as `output` of a recipe says it.
struct SaveOptions {
  /// Of floating tensors, or by place: DType::kF16, "f16". Nothing: the leftmost model's.
  std::optional<Value> dtype{};
  std::string rounding{};                     ///< "nearest", "stochastic"; empty: nearest
  std::string layout{};                       ///< "keep", "ldm", "sgm", "comfy", "bfl", "diffusers"
  std::map<std::string, Model> components{};  ///< that are taken from other models: "vae"
  bool split = false;                         ///< a folder with a file for each component
  std::optional<std::uint64_t> max_shard_size{};  ///< bytes of a file; beyond, there are several
  std::filesystem::path files_from{};             ///< whose configurations go with a folder
  std::map<std::string, std::string> metadata{};
  bool private_metadata = false;  ///< leave recipe and inputs out of the metadata
};

/// An entry of the list of a step.
struct Entry {
  Entry(Model entry) : model(std::move(entry)) {}
  Entry(Model entry, Value its_weight, Parameters its_numbers = {})
      : model(std::move(entry)), weight(std::move(its_weight)), numbers(std::move(its_numbers)) {}
  /// Of a stack: those layers, "0-15", and what their weights are multiplied by.
  [[nodiscard]] static Entry Layers(Model entry, std::string which,
                                    std::optional<Value> scale = {}) {
    Entry made(std::move(entry));
    made.layers = std::move(which);
    made.weight = std::move(scale);
    return made;
  }

  Model model;
  std::optional<Value> weight;  ///< where the operator's list is weighted; of layers, their scale
  std::string layers{};         ///< of a stack: "0-15"; empty: all
  Parameters numbers{};         ///< of its own: {{"density", 0.3}}
};

/// An operator on models.
struct Step {
  std::string op;
  std::vector<Model> operands{};  ///< in the order of the declaration; the last may be optional
  std::vector<Entry> list{};      ///< of operators that take any number: `of`, `adapters`
  Parameters parameters{};
  Policies policies{};  ///< of this step
};

/// The model that a step gives; nothing is read. Throws kUsage for an operator or parameter that
/// there is not, and for a wrong number of operands. Values are looked at when it is planned.
[[nodiscard]] Model Apply(Step step);
/// The same without a list; of an operator that takes any number and no weights, the list.
[[nodiscard]] Model Apply(std::string_view op, std::vector<Model> operands,
                          Parameters parameters = {});

}  // namespace weightsmith
