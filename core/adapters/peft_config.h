// What adapter_config.json, beside an adapter that PEFT saved, says of its numbers; and the same in
// the metadata that diffusers writes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/matcher.h"
#include "core/safetensors/header.h"

namespace weightsmith {

/// A number of the modules whose names the expression matches.
struct PeftPattern {
  Matcher matcher;
  double value = 0;
};

struct PeftConfig {
  std::string type;  ///< "LORA", "IA3"; empty: there is no configuration
  std::optional<double> alpha;
  std::optional<double> rank;
  std::vector<PeftPattern> alphas;  ///< the first that matches counts
  std::vector<PeftPattern> ranks;
  bool rank_stabilised = false;      ///< the scale is alpha / √rank
  bool fan_in_fan_out = false;       ///< weights are stored [in, out]
  bool cayley_neumann = true;        ///< of OFT
  int neumann_terms = 5;             ///< of OFT
  bool coft = false;                 ///< of OFT: matrices are kept small
  double eps = 6e-5;                 ///< how small
  std::vector<Matcher> feedforward;  ///< of IA3: modules that are scaled on their input
  std::string initialisation;        ///< of LoRA, where it changes the base as well: "pissa"

  /// Of a module.
  std::optional<double> AlphaOf(std::string_view module) const;
  std::optional<double> RankOf(std::string_view module) const;
  bool IsFeedforward(std::string_view module) const;
};

/// Throws kInput where the file is malformed or of a kind that cannot be baked. Without one, what
/// PEFT does by default.
PeftConfig ReadPeftConfig(const std::filesystem::path& adapter,
                          const std::optional<Metadata>& metadata);

}  // namespace weightsmith
