#include "core/adapters/peft_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uintmax_t kMostBytes = 16 << 20;
constexpr std::array<std::string_view, 7> kTypes = {"LORA", "ADALORA", "LOHA", "LOKR",
                                                    "OFT",  "BOFT",    "IA3"};
/// What changes which weights a module stands for, in ways that no tensor tells.
constexpr std::array<std::string_view, 3> kRefused = {"target_parameters", "layer_replication",
                                                      "megatron_config"};
constexpr std::array<std::string_view, 5> kBaseChanging = {"pissa", "olora", "loftq", "corda",
                                                           "eva"};

[[noreturn]] void Refuse(const std::string& file, const std::string& problem,
                         const std::string& advice = {}) {
  throw Error(ErrorCode::kInput, fmt::format("{}: {}", Quote(file), problem), advice);
}

bool Truth(const Json& json, const char* key, bool otherwise) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() ? found->get<bool>() : otherwise;
}

std::optional<double> Number(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

/// An expression that matches the end of a module's name behind `before`, as PEFT applies it.
Matcher Compile(const std::string& file, std::string_view key, const std::string& pattern,
                std::string_view before = {}) {
  std::string problem;
  std::optional<Matcher> matcher = Matcher::Compile(pattern, problem);
  const std::string whole = fmt::format("{}(.*\\.)?({})", before, pattern);
  if (matcher) matcher = Matcher::Compile(whole, problem);
  if (!matcher) {
    Refuse(
        file,
        fmt::format("the regular expression {} of {} cannot be used: {}", Quote(pattern, 80),
                    Quote(key), problem),
        "Write an expression for each group of modules, without look-around and back-references.");
  }
  return *std::move(matcher);
}

std::vector<PeftPattern> Patterns(const Json& json, const char* key, const std::string& file) {
  std::vector<PeftPattern> patterns;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_object()) return patterns;
  for (const auto& [pattern, number] : found->items()) {
    if (!number.is_number()) continue;
    patterns.push_back({Compile(file, key, pattern), number.get<double>()});
  }
  return patterns;
}

bool Empty(const Json& value) {
  return value.is_null() || (value.is_structured() && value.empty());
}

void ReadInitialisation(const Json& json, PeftConfig& config) {
  const auto found = json.find("init_lora_weights");
  if (found == json.end() || !found->is_string()) return;
  const std::string word = found->get<std::string>();
  const auto changes = [&](std::string_view known) { return word.starts_with(known); };
  if (std::ranges::any_of(kBaseChanging, changes)) config.initialisation = word;
}

PeftConfig Parse(const Json& json, const std::string& file) {
  PeftConfig config;
  config.type = "LORA";
  if (const auto type = json.find("peft_type"); type != json.end() && type->is_string()) {
    config.type = type->get<std::string>();
  }
  if (std::ranges::find(kTypes, config.type) == kTypes.end()) {
    Refuse(file, fmt::format("adapters of the type {} cannot be baked", Quote(config.type)),
           fmt::format("Types that can are {}.", fmt::join(kTypes, ", ")));
  }
  for (const std::string_view key : kRefused) {
    const auto found = json.find(key);
    if (found == json.end() || Empty(*found)) continue;
    Refuse(file,
           fmt::format("it has {}, which no tensor tells and which is not known here", Quote(key)));
  }
  config.alpha = Number(json, "lora_alpha");
  if (!config.alpha) config.alpha = Number(json, "alpha");
  config.rank = Number(json, "r");
  config.alphas = Patterns(json, "alpha_pattern", file);
  config.ranks = Patterns(json, "rank_pattern", file);
  config.rank_stabilised = Truth(json, "use_rslora", false);
  config.fan_in_fan_out = Truth(json, "fan_in_fan_out", false);
  config.cayley_neumann = Truth(json, "use_cayley_neumann", true);
  config.neumann_terms = static_cast<int>(Number(json, "num_cayley_neumann_terms").value_or(5));
  config.coft = Truth(json, "coft", false);
  config.eps = Number(json, "eps").value_or(6e-5);
  if (const auto modules = json.find("feedforward_modules"); modules != json.end()) {
    const auto add = [&](const Json& module) {
      if (!module.is_string()) return;
      config.feedforward.push_back(Compile(file, "feedforward_modules", module.get<std::string>()));
    };
    if (modules->is_array()) {
      for (const Json& module : *modules) add(module);
    } else {
      add(*modules);
    }
  }
  ReadInitialisation(json, config);
  return config;
}

std::optional<double> FirstOf(const std::vector<PeftPattern>& patterns, std::string_view module,
                              std::optional<double> otherwise) {
  constexpr std::string_view kWrapper = "base_model.model.";
  if (module.starts_with(kWrapper)) module.remove_prefix(kWrapper.size());
  for (const PeftPattern& pattern : patterns) {
    if (pattern.matcher.MatchesAll(module)) return pattern.value;
  }
  return otherwise;
}

/// diffusers puts one flat object into the metadata: "transformer.lora_alpha", for each model.
PeftConfig FromMetadata(const std::string& text, const std::string& file) {
  PeftConfig config;
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return config;
  config.type = "LORA";
  for (const auto& [key, value] : json.items()) {
    const std::size_t dot = key.find('.');
    if (dot == std::string::npos) continue;
    const std::string model = key.substr(0, dot);
    const std::string_view what = std::string_view(key).substr(dot + 1);
    const std::string before = fmt::format("{}\\.", model);
    if (what == "lora_alpha" && value.is_number()) {
      config.alphas.push_back({Compile(file, key, ".*", before), value.get<double>()});
    } else if (what == "alpha_pattern" && value.is_object()) {
      for (const auto& [pattern, alpha] : value.items()) {
        if (!alpha.is_number()) continue;
        config.alphas.insert(config.alphas.begin(),
                             {Compile(file, key, pattern, before), alpha.get<double>()});
      }
    } else if (what == "use_rslora" && value.is_boolean()) {
      config.rank_stabilised = config.rank_stabilised || value.get<bool>();
    }
  }
  return config;
}

}  // namespace

std::optional<double> PeftConfig::AlphaOf(std::string_view module) const {
  return FirstOf(alphas, module, alpha);
}

std::optional<double> PeftConfig::RankOf(std::string_view module) const {
  return FirstOf(ranks, module, rank);
}

bool PeftConfig::IsFeedforward(std::string_view module) const {
  return std::ranges::any_of(feedforward,
                             [&](const Matcher& matcher) { return matcher.MatchesAll(module); });
}

PeftConfig ReadPeftConfig(const fs::path& adapter, const std::optional<Metadata>& metadata) {
  constexpr std::string_view kPeftFile = "adapter_model";
  std::error_code error;
  const bool folder = fs::is_directory(adapter, error);
  const fs::path path = (folder ? adapter : adapter.parent_path()) / "adapter_config.json";
  const bool named = folder || adapter.filename().string().starts_with(kPeftFile);
  if (!named || !fs::is_regular_file(path, error)) {
    if (!metadata) return {};
    const auto found = metadata->find("lora_adapter_metadata");
    return found == metadata->end() ? PeftConfig() : FromMetadata(found->second, adapter.string());
  }
  if (const auto size = fs::file_size(path, error); error || size > kMostBytes) {
    Refuse(path.string(), "it is too large for a configuration");
  }
  std::ifstream stream(path);
  const Json json = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) Refuse(path.string(), "it is not a JSON object");
  return Parse(json, path.string());
}

}  // namespace weightsmith
