// What adapter_config.json, beside an adapter that PEFT saved, says of its numbers; and the same in
// the metadata that diffusers writes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/matcher_set.h"
#include "core/formats/safetensors/header.h"

namespace weightsmith::internal {

/// Of one module.
struct PeftNumbers {
  std::optional<double> alpha{};
  std::optional<double> rank{};
  bool rank_stabilised = false;  ///< the scale is alpha / √rank
  bool fan_in_fan_out = false;   ///< weights are stored [in, out]
  bool cayley_neumann = true;    ///< of OFT
  int neumann_terms = 5;         ///< of OFT
  bool coft = false;             ///< of OFT: matrices are kept small
  double eps = 6e-5;             ///< how small
  bool feedforward = false;      ///< of IA3: it scales what goes into the layer
};

/// Expressions for names of modules, and a number of each; the first that matches counts.
struct PeftPatterns {
  MatcherSet matchers;
  std::vector<double> values;

  std::optional<double> Of(std::string_view module) const;
};

/// The configuration of one model's modules.
struct PeftSection {
  std::string prefix{};  ///< of its modules' names: "transformer."; empty: of all
  PeftNumbers numbers{};
  PeftPatterns alphas{};
  PeftPatterns ranks{};
  std::optional<Matcher> feedforward{};             ///< of IA3: all of the name
  std::vector<std::string> feedforward_suffixes{};  ///< of IA3: how names end
};

struct PeftConfig {
  std::optional<std::filesystem::path> file;  ///< the adapter_config.json that says it
  std::string type;                           ///< "LORA", "IA3"; empty: there is no configuration
  /// Of LoRA, where it changes the base as well: "pissa".
  std::string initialisation;
  std::vector<PeftSection> sections;

  /// What it says of a module, by its stem. Throws kInput where the expressions take too much
  /// memory to match.
  PeftNumbers Of(std::string_view stem) const;
};

/// Throws kInput where the configuration is malformed, of a kind that cannot be baked, or has
/// expressions that cannot be used. Without one, what PEFT does by default.
PeftConfig ReadPeftConfig(const std::filesystem::path& adapter,
                          const std::optional<Metadata>& metadata);

/// Of the text of an adapter_config.json; `file` is what messages call it.
PeftConfig ParsePeftConfig(const std::string& text, const std::string& file);

}  // namespace weightsmith::internal
