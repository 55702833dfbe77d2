// What an operator declares. The declaration is the one source for validation, the JSON Schema,
// `weightsmith ops`, the Python signatures and the reference page: an operator is one file in
// operators/ that defines one of these.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/architecture.h"
#include "core/tensor/tensor.h"
#include "merge/program/lowering.h"

namespace weightsmith::internal {

/// What a virtual checkpoint holds: weights, or a difference of weights. kSame in a signature
/// stands for either, the same throughout.
enum class Kind : std::uint8_t { kWeight, kDelta, kSame };
std::string_view ToString(Kind kind);

/// What an operator needs to see at once, in words; passes are found for each tensor.
enum class OperatorClass : std::uint8_t {
  kElementwise,  ///< an element of each operand
  kReduced,      ///< numbers of the whole tensor, or its rows, then an element of each
  kWhole,        ///< the whole tensor
};
std::string_view ToString(OperatorClass form);

/// What an operand is that is left out.
enum class OperandDefault : std::uint8_t {
  kNone,   ///< nothing
  kFirst,  ///< the first entry of the operator's list
  kLast,   ///< the last
};

struct OperandSpec {
  std::string_view name;  ///< the key in a recipe: "a"
  Kind kind = Kind::kSame;
  std::string_view doc{};
  bool optional = false;  ///< may be left out; stands behind those that may not
  OperandDefault left_out = OperandDefault::kNone;
};

enum class ParameterType : std::uint8_t {
  kNumber,
  kBoolean,
  kWord,  ///< one of `words`
  kSeed,  ///< of random numbers: an integer from 0 to kMostSeed
};
std::string_view ToString(ParameterType type);

constexpr double kMostSeed = 0x1.fffffffffffffp+52;

struct ParameterSpec {
  std::string_view name;
  ParameterType type = ParameterType::kNumber;
  /// Of a boolean 0 or 1, of a word its index. Nothing: required, unless `optional`.
  std::optional<double> default_value{};
  bool optional = false;  ///< may be left out
  bool by_place = false;  ///< a number that takes weights by place
  /// A number that an entry of the list may have of its own: `of: [{model: x, density: 0.3}, …]`.
  /// Where all have it, the step's may be left out.
  bool by_entry = false;
  std::vector<std::string_view> words{};
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::string_view doc{};
  /// Of a boolean: whether the step acts on the VAE, which is copied otherwise.
  bool for_vae = false;
  /// Of a number: it counts something, so that one with a fraction is no number of it.
  bool whole = false;
};

/// A list of operands of any length: `of: [x, y]`, or with weights `of: [{model: x, weight: 1}]`.
struct OperandListSpec {
  std::string_view name;
  Kind kind = Kind::kSame;
  bool weighted = false;
  bool optional = false;
  std::string_view doc{};
  /// Of adapters that are added one after another: an entry is "NAME:0.6" or {use: NAME, strength:
  /// …}, and what they do is reported for each module. lower() gets one at a time.
  bool adapters = false;
  /// Of layers that are put one on the other: an entry is {model: x, layers: 0-15}. The planner
  /// does it, and lower() is not called.
  bool layers = false;
  /// What else an entry has, beside the parameters by entry: numbers, each by place.
  std::vector<ParameterSpec> numbers{};
};

/// What the parameters of a step are for one tensor, by their names.
class ParameterValues {
 public:
  /// `values` in the order of `specs`: of a boolean 0 or 1, of a word its index, NaN where it was
  /// left out. REQUIRES: both outlive it.
  ParameterValues(std::span<const ParameterSpec> specs, std::span<const double> values)
      : specs_(specs), values_(values) {}

  /// REQUIRES: a parameter of that name and type is declared; likewise below.
  double Number(std::string_view name) const { return Value(name, ParameterType::kNumber); }
  /// Of one that may be left out.
  std::optional<double> NumberIfGiven(std::string_view name) const;
  bool Flag(std::string_view name) const { return Value(name, ParameterType::kBoolean) == 1; }
  std::string_view Word(std::string_view name) const;
  std::uint64_t Seed(std::string_view name) const;

 private:
  std::size_t Find(std::string_view name, ParameterType type) const;
  double Value(std::string_view name, ParameterType type) const {
    return values_[Find(name, type)];
  }

  std::span<const ParameterSpec> specs_;
  std::span<const double> values_;
};

/// What the entries of a list have beside their weights for one tensor.
class EntryValues {
 public:
  /// Entries that have nothing of their own.
  EntryValues() = default;
  /// `values` of each entry, in the order of `specs` (EntryNumbers); NaN where it was left out.
  /// REQUIRES: both outlive it.
  EntryValues(std::span<const ParameterSpec* const> specs, std::span<const double> values)
      : specs_(specs), values_(values) {}

  /// Nothing where it was left out.
  std::optional<double> Number(std::string_view name, std::size_t entry) const;

 private:
  std::span<const ParameterSpec* const> specs_;
  std::span<const double> values_;
};

/// A tensor beside the one at hand that one of the operands has.
struct Companion {
  std::string name;  ///< inside the component
  Shape shape;
  CompanionIndex index = 0;  ///< for Lowering::Transformed
};

/// What lower() is given for one tensor.
struct Arguments {
  std::span<const Value> operands;  ///< in the order of Operator::operands, as far as given
  std::span<const Value> list;      ///< of the operand list
  std::span<const double> weights;  ///< of the list's entries
  ParameterValues parameters;
  EntryValues entries{};
  Shape shape{};              ///< of the tensor; empty where it has no dimensions or is not known
  std::string_view tensor{};  ///< its canonical name
  const LatentTones* tones = nullptr;  ///< of the model's architecture, where it has some
  /// Its name inside the component; empty where it is not known.
  std::string_view local_name{};
  /// Those that all operands have, of the first operand, then of the next.
  std::span<const Companion> companions{};
  /// Of an operator that reads companions: rows of a head of attention in the first operand, where
  /// they are known; else 0.
  std::uint64_t head_size = 0;

  double Elements() const { return static_cast<double>(ElementCount(shape).value_or(0)); }
  /// Of the list's entry: its own number, or else the step's. REQUIRES: a parameter by entry.
  double Entry(std::string_view name, std::size_t i) const {
    const std::optional<double> own = entries.Number(name, i);
    return own ? *own : parameters.Number(name);
  }
};

/// What a step of a recipe gave, before any tensor is looked at.
struct ArgumentsGiven {
  std::size_t list = 0;                      ///< entries of the operand list
  std::vector<std::string_view> parameters;  ///< which were written, for the step or every entry
  /// Of parameters that are one number everywhere, a boolean or a word: what they are.
  std::map<std::string_view, double> numbers{};

  bool Has(std::string_view parameter) const;
};

/// The key of what selects tensors.
inline constexpr std::string_view kWhere = "where";

struct Operator {
  std::string_view name;     ///< as recipes write it
  std::string_view summary;  ///< one line
  std::string_view doc;      ///< paragraphs
  std::string_view formula;  ///< in its association
  std::string_view source;   ///< paper, or the project whose behaviour it matches
  std::string_view example;  ///< a step, YAML
  /// What people want when they take it, a few plain words each: "restore contrast".
  std::vector<std::string_view> uses{};
  std::vector<OperandSpec> operands{};
  std::optional<OperandListSpec> list{};
  Kind result = Kind::kSame;
  std::vector<ParameterSpec> parameters{};
  /// Not empty: it acts on tensors that the key `where` selects, and this says what on. Of all
  /// other tensors the first operand is the result, and no other operand is looked at.
  std::string_view where{};
  bool expects_effect = true;  ///< to change no element is an error
  /// Where an operand lacks a tensor that another has, the result is that of the leftmost that has
  /// it.
  bool falls_back = false;
  /// Its operand is a model, and lower() is given that one's own EMA copy of the tensor as the
  /// list, where there is one.
  bool reads_ema = false;
  /// It also acts on a VAE that an earlier step computed.
  bool follows = false;
  /// Names, inside the component, of the tensors that it reads whole beside the one of this name.
  /// Operands of those have to be models.
  std::vector<std::string> (*companions)(std::string_view tensor) = nullptr;
  /// Of an operator that is for some tensors alone: whether it is for this one. What it is for none
  /// of is an error, and `lacks` says what the first operand does: "has no EMA copies".
  bool (*concerns)(const Arguments&) = nullptr;
  std::string_view lacks{};
  /// A sentence that says what is wrong with what was given; empty when nothing is.
  std::string (*check)(const ArgumentsGiven&) = nullptr;
  /// Likewise of one tensor, whose numbers and shape are known: lower() is not called then. What
  /// helps stands behind a line break.
  std::string (*check_tensor)(const Arguments&) = nullptr;
  Value (*lower)(Lowering& tape, const Arguments& arguments) = nullptr;
};

/// What it needs to see, by what it lowers to.
OperatorClass ClassOf(const Operator& op);

/// How many of its operands may not be left out.
std::size_t RequiredOperands(const Operator& op);

/// What an entry of its list may have beside a weight: the list's numbers, then the parameters by
/// entry.
std::vector<const ParameterSpec*> EntryNumbers(const Operator& op);

/// Every operator, sorted by name.
std::span<const Operator* const> Operators();

/// What every operator of models has that takes no weights by place: `vae: true`.
ParameterSpec VaeParameter();

/// What every operator has that draws random numbers: `seed`, and `seed_shared` for steps that are
/// to draw the same.
ParameterSpec SeedParameter();
ParameterSpec SeedSharedParameter();

/// The operator of that name; null for none.
const Operator* FindOperator(std::string_view name);

}  // namespace weightsmith::internal
