#include <weightsmith/tables.h>

#include <algorithm>
#include <string>

#include "core/model/architecture.h"
#include "core/model/architecture_names.h"
#include "merge/adapters/adapter_family.h"
#include "merge/operator.h"

namespace weightsmith {
namespace {

Kind KindOf(internal::Kind kind) {
  switch (kind) {
    case internal::Kind::kWeight:
      return Kind::kWeight;
    case internal::Kind::kDelta:
      return Kind::kDelta;
    case internal::Kind::kSame:
      break;
  }
  return Kind::kSame;
}

ParameterType TypeOf(internal::ParameterType type) {
  switch (type) {
    case internal::ParameterType::kBoolean:
      return ParameterType::kBoolean;
    case internal::ParameterType::kWord:
      return ParameterType::kWord;
    case internal::ParameterType::kSeed:
      return ParameterType::kSeed;
    case internal::ParameterType::kNumber:
      break;
  }
  return ParameterType::kNumber;
}

Parameter ParameterOf(const internal::ParameterSpec& parameter) {
  return {.name = parameter.name,
          .type = TypeOf(parameter.type),
          .default_value = parameter.default_value,
          .optional = parameter.optional,
          .by_place = parameter.by_place,
          .by_entry = parameter.by_entry,
          .words = parameter.words,
          .low = parameter.low,
          .high = parameter.high,
          .doc = parameter.doc};
}

Operator OperatorOf(const internal::Operator& declared) {
  Operator op{.name = declared.name,
              .summary = declared.summary,
              .doc = declared.doc,
              .formula = declared.formula,
              .source = declared.source,
              .example = declared.example,
              .uses = declared.uses,
              .operands = {},
              .list = {},
              .result = KindOf(declared.result),
              .parameters = {}};
  for (const internal::OperandSpec& operand : declared.operands) {
    op.operands.push_back({operand.name, KindOf(operand.kind), operand.doc, operand.optional});
  }
  if (declared.list) {
    op.list = OperandList{.name = declared.list->name,
                          .kind = KindOf(declared.list->kind),
                          .weighted = declared.list->weighted,
                          .optional = declared.list->optional,
                          .adapters = declared.list->adapters,
                          .doc = declared.list->doc,
                          .numbers = {}};
    for (const internal::ParameterSpec& number : declared.list->numbers) {
      op.list->numbers.push_back(ParameterOf(number));
    }
  }
  for (const internal::ParameterSpec& parameter : declared.parameters) {
    op.parameters.push_back(ParameterOf(parameter));
  }
  return op;
}

Architecture ArchitectureOf(const internal::Architecture& declared) {
  Architecture architecture{.id = declared.id,
                            .title = declared.title,
                            .modelspec = declared.modelspec,
                            .layout = declared.layout,
                            .variants = {}};
  for (const internal::ArchitectureRow& row : declared.rows) {
    if (std::ranges::find(architecture.variants, row.variant) == architecture.variants.end()) {
      architecture.variants.push_back(row.variant);
    }
  }
  return architecture;
}

AdapterFamily FamilyOf(const internal::AdapterFamily& declared) {
  return {.id = declared.id,
          .title = declared.title,
          .source = declared.source,
          .formula = declared.formula};
}

/// The declarations of a table as the public API has them, sorted.
template <class T, class Declared>
std::vector<T> TableOf(std::span<const Declared* const> all, T (*make)(const Declared&),
                       std::string_view T::*name) {
  std::vector<T> table;
  for (const Declared* const declared : all) table.push_back(make(*declared));
  std::ranges::sort(table, {}, name);
  return table;
}

template <class T>
const T* FindIn(std::span<const T> table, std::string_view wanted, std::string_view T::*name) {
  const auto found = std::ranges::find(table, wanted, name);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

std::span<const Operator> operators::All() {
  static const std::vector<Operator> table =
      TableOf(internal::Operators(), &OperatorOf, &Operator::name);
  return table;
}
const Operator* operators::Find(std::string_view name) {
  return FindIn(All(), name, &Operator::name);
}

std::span<const Architecture> architectures::All() {
  static const std::vector<Architecture> table =
      TableOf(internal::Architectures(), &ArchitectureOf, &Architecture::id);
  return table;
}
const Architecture* architectures::Find(std::string_view name) {
  const internal::Architecture* const named = internal::ArchitectureOf(name);
  return named == nullptr ? nullptr : FindIn(All(), named->id, &Architecture::id);
}

std::span<const AdapterFamily> adapter_families::All() {
  static const std::vector<AdapterFamily> table =
      TableOf(internal::AdapterFamilies(), &FamilyOf, &AdapterFamily::id);
  return table;
}
const AdapterFamily* adapter_families::Find(std::string_view id) {
  return FindIn(All(), id, &AdapterFamily::id);
}

}  // namespace weightsmith
