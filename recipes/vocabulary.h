// The words of the language, in one place: the parser checks by them, the schema and the messages
// are made of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "merge/expression/expression.h"

namespace weightsmith::internal {

/// What the value of a key looks like.
enum class ValueForm : std::uint8_t {
  kVersion,
  kText,
  kPath,
  kBoolean,
  kSize,
  kHash,
  kInclude,
  kModels,
  kVariables,
  kAdapters,
  kPolicy,
  kSteps,
  kOutput,
  kOutputs,
  kOperand,
  kComponents,
  kDType,
  kLayout,
  kMetadata,
  kWeight,
  kOperator,
  kAdapter,
  kRegex,
  kRounding,
  kPlaces,
  kNames,
  kRanks,
  kElements,
  kLayers,
};

struct KeySpec {
  std::string_view name;
  ValueForm form = ValueForm::kText;
  bool required = false;
  std::string_view doc;
};

std::span<const KeySpec> RecipeKeys();
/// Of a file that is included.
std::span<const KeySpec> TableKeys();
std::span<const KeySpec> KeysOfModels();
/// Of a model by component, beside the components.
std::span<const KeySpec> AssemblyKeys();
/// Of an adapter.
std::span<const KeySpec> AdapterKeys();
std::span<const KeySpec> OutputKeys();
/// Of an entry of a list of adapters.
std::span<const KeySpec> AdapterEntryKeys();
/// Of an entry of a weighted operand list.
std::span<const KeySpec> EntryKeys();
/// Of an entry of a list of layers.
std::span<const KeySpec> LayerEntryKeys();
/// Of a selection of tensors.
std::span<const KeySpec> WhereKeys();
/// That every step has, beside those of its operator.
std::span<const KeySpec> StepKeys();

/// Names of components, as an output's components and rows may say them.
std::span<const std::string_view> ComponentWords();
/// What a model by component may be made of: these, components that only some architectures have,
/// and what belongs to none.
std::vector<std::string_view> PartWords();

/// Of OutputLayout.
std::vector<std::string> LayoutWords();

/// Metadata keys that stand under `modelspec.` and may be written without it.
std::span<const std::string_view> ModelspecWords();

/// Hash kinds of a pin and how many digits each has.
struct HashKind {
  std::string_view name;
  std::size_t digits = 0;
};
std::span<const HashKind> HashKinds();

struct PolicyValue {
  std::string_view name;
  void (*apply)(Policies&) = nullptr;
};

struct PolicySpec {
  std::string_view name;
  std::vector<PolicyValue> values;  ///< the default first
  bool by_place = false;
  bool per_step = false;
  std::string_view doc;
  /// The index in `values` that the policies have.
  std::size_t (*current)(const Policies&) = nullptr;
};
std::span<const PolicySpec> PolicyTable();

/// The words of the missing policy, in the order of the enum.
std::span<const std::string_view> MissingWords();

/// The names of a table's rows.
template <class Row>
std::vector<std::string> NamesOf(std::span<const Row> rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  return names;
}

/// "a, b or c".
std::string Alternatives(std::span<const std::string> names);

/// ". Did you mean 'x'?" to end a message about an unknown name; nothing when no name is near.
std::string Hint(std::string_view name, std::span<const std::string> known);

}  // namespace weightsmith::internal
