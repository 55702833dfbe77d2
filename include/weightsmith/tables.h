// What the library knows: operators, architectures and families of adapters, each a table of
// declarations that is there as long as the program. Texts point into it, and pointers into a table
// stay valid. What is not in a table is a null pointer, never an exception. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weightsmith {

/// What a model, or the result of a step, holds: weights, or a difference of weights. kSame in a
/// declaration stands for either, the same throughout.
enum class Kind : std::uint8_t { kWeight, kDelta, kSame };

struct Operand {
  std::string_view name;  ///< the key in a recipe: "a"
  Kind kind = Kind::kSame;
  std::string_view doc;
  bool optional = false;  ///< stands behind those that may not be left out
};

enum class ParameterType : std::uint8_t { kNumber, kBoolean, kWord, kSeed };

struct Parameter {
  std::string_view name;
  ParameterType type = ParameterType::kNumber;
  /// Of a boolean 0 or 1, of a word its index in `words`. Nothing: required, unless `optional`.
  std::optional<double> default_value;
  bool optional = false;
  bool by_place = false;  ///< takes numbers by place
  bool by_entry = false;  ///< an entry of the list may have its own
  std::vector<std::string_view> words;
  double low = 0;  ///< of a number, both inclusive; infinite where there is no limit
  double high = 0;
  std::string_view doc;
};

/// Operands of any number, under one key.
struct OperandList {
  std::string_view name;
  Kind kind = Kind::kSame;
  bool weighted = false;  ///< each has a weight
  bool optional = false;
  bool adapters = false;  ///< they are adapters, and their weights strengths
  bool layers = false;    ///< layers are taken of each
  std::string_view doc;
  std::vector<Parameter> numbers;  ///< what else an entry has, but parameters by entry
};

struct Operator {
  std::string_view name;     ///< as recipes and Apply write it
  std::string_view summary;  ///< one line
  std::string_view doc;      ///< paragraphs
  std::string_view formula;
  std::string_view source;             ///< paper, or the project whose behaviour it matches
  std::string_view example;            ///< a step, YAML
  std::vector<std::string_view> uses;  ///< purposes in a few plain words: "restore contrast"
  std::vector<Operand> operands;
  std::optional<OperandList> list;
  Kind result = Kind::kSame;
  std::vector<Parameter> parameters;
  std::string_view where;  ///< not empty: it takes `where`, which selects tensors
};

namespace operators {

/// Sorted by name, never empty.
[[nodiscard]] std::span<const Operator> All();
/// By its name, exactly; null for none of that name.
[[nodiscard]] const Operator* Find(std::string_view name);

}  // namespace operators

struct Architecture {
  std::string_view id;                     ///< "sd1", "sdxl", "flux1"
  std::string_view title;                  ///< "Stable Diffusion 1.x"
  std::string_view modelspec;              ///< "stable-diffusion-v1"
  std::string_view layout;                 ///< of its monolithic files: "ldm", "sgm", "comfy"
  std::vector<std::string_view> variants;  ///< "base", "inpainting", "dev" …
};

namespace architectures {

/// Sorted by id, never empty.
[[nodiscard]] std::span<const Architecture> All();
/// By an id, or another name that people use. Null for none.
[[nodiscard]] const Architecture* Find(std::string_view name);

}  // namespace architectures

struct AdapterFamily {
  std::string_view id;     ///< "lora"
  std::string_view title;  ///< "LoRA"
  std::string_view source;
  std::string_view formula;  ///< of the result: "W + s·up·down"
};

namespace adapter_families {

/// Sorted by id, never empty.
[[nodiscard]] std::span<const AdapterFamily> All();
/// By its id, exactly; null for none of that id.
[[nodiscard]] const AdapterFamily* Find(std::string_view id);

}  // namespace adapter_families

}  // namespace weightsmith
