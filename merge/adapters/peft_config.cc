#include "merge/adapters/peft_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/base/json-inl.h"
#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
/// In the order of the file: the first pattern that matches counts.

constexpr std::uintmax_t kMostBytes = 16 << 20;
constexpr int kDeepest = 32;
constexpr std::size_t kMostPatterns = 20'000;
constexpr std::size_t kMostKeys = 30'000;
constexpr std::size_t kMostPatternBytes = 1 << 20;
constexpr int kMostTerms = 100;
constexpr std::size_t kMostSuffixes = 1000;
constexpr std::size_t kMostModels = 32;
constexpr std::string_view kWrapper = "base_model.model.";
/// PEFT matches the end of a name, from one of its segments on.
constexpr std::string_view kSegments = "(?:.*\\.)?";
/// Where a configuration does not say it.
constexpr double kDefaultAlpha = 8;

constexpr std::array<std::string_view, 7> kTypes = {"LORA", "ADALORA", "LOHA", "LOKR",
                                                    "OFT",  "BOFT",    "IA3"};
/// What changes which weights a module stands for, in ways that no tensor shows.
constexpr std::array<std::string_view, 3> kRefused = {"target_parameters", "layer_replication",
                                                      "megatron_config"};
constexpr std::array<std::string_view, 5> kBaseChanging = {"pissa", "olora", "loftq", "corda",
                                                           "eva"};

/// A JSON object of a configuration, and what messages say of it.
class Reader {
 public:
  Reader(const Json& json, std::string file, std::string prefix)
      : json_(json), file_(std::move(file)), prefix_(std::move(prefix)) {}

  PeftSection Read(PeftConfig& config) {
    ReadType(config);
    ReadInitialisation(config);
    PeftSection section;
    section.prefix = prefix_;
    PeftNumbers& numbers = section.numbers;
    numbers.alpha = Number("lora_alpha");
    if (!numbers.alpha) numbers.alpha = Number("alpha");
    if (!numbers.alpha && HasAlpha(config.type)) numbers.alpha = kDefaultAlpha;
    numbers.rank = Number("r");
    numbers.rank_stabilised = Truth("use_rslora", false);
    numbers.fan_in_fan_out = Truth("fan_in_fan_out", false);
    numbers.cayley_neumann = Truth("use_cayley_neumann", true);
    numbers.neumann_terms = Terms();
    numbers.coft = Truth("coft", false);
    numbers.eps = Number("eps").value_or(numbers.eps);
    section.alphas = Patterns("alpha_pattern");
    section.ranks = Patterns("rank_pattern");
    ReadFeedforward(section);
    return section;
  }

 private:
  [[noreturn]] void Refuse(const std::string& problem, const std::string& advice = {}) const {
    throw Error(ErrorCode::kInput, fmt::format("{}: {}", Quote(file_), problem), advice);
  }

  std::string Name(std::string_view key) const { return fmt::format("'{}{}'", prefix_, key); }

  [[noreturn]] void RefuseType(std::string_view key, const Json& found,
                               std::string_view expected) const {
    Refuse(fmt::format("{} is of type {}, expected {}", Name(key), found.type_name(), expected));
  }

  /// Null where it is missing or nothing.
  const Json* Find(std::string_view key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  bool Truth(std::string_view key, bool otherwise) const {
    const Json* const found = Find(key);
    if (found == nullptr) return otherwise;
    if (!found->is_boolean()) RefuseType(key, *found, "true or false");
    return found->get<bool>();
  }

  std::optional<double> Number(std::string_view key) const {
    const Json* const found = Find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_number()) RefuseType(key, *found, "a number");
    return found->get<double>();
  }

  int Terms() const {
    const std::optional<double> terms = Number("num_cayley_neumann_terms");
    if (!terms) return PeftNumbers().neumann_terms;
    if (*terms >= 0 && *terms <= kMostTerms) return static_cast<int>(*terms);
    Refuse(fmt::format("{} is {}, expected 0 to {}", Name("num_cayley_neumann_terms"), *terms,
                       kMostTerms));
  }

  void ReadType(PeftConfig& config) const {
    config.type = "LORA";
    if (const Json* const type = Find("peft_type")) {
      if (!type->is_string()) RefuseType("peft_type", *type, "a name");
      config.type = type->get<std::string>();
    }
    if (std::ranges::find(kTypes, config.type) == kTypes.end()) {
      Refuse(fmt::format("adapters of type {} cannot be baked", Quote(config.type, 40)),
             fmt::format("Supported types are {}.", fmt::join(kTypes, ", ")));
    }
    for (const std::string_view key : kRefused) {
      const Json* const found = Find(key);
      if (found == nullptr || (found->is_structured() && found->empty())) continue;
      Refuse(fmt::format("{} is not supported", Name(key)));
    }
  }

  void ReadInitialisation(PeftConfig& config) const {
    const Json* const found = Find("init_lora_weights");
    if (found == nullptr || !found->is_string()) return;
    const std::string word = found->get<std::string>();
    const auto changes = [&](std::string_view known) { return word.starts_with(known); };
    if (std::ranges::any_of(kBaseChanging, changes)) config.initialisation = word;
  }

  static bool HasAlpha(std::string_view type) {
    return type == "LORA" || type == "ADALORA" || type == "LOHA" || type == "LOKR";
  }

  [[noreturn]] void RefusePattern(std::string_view key, const std::string& pattern,
                                  std::string_view problem) const {
    Refuse(fmt::format("regular expression {} of {} is not supported: {}", Quote(pattern, 80),
                       Name(key), problem),
           "Replace it by one expression or module name for each group of modules.");
  }

  PeftPatterns Patterns(std::string_view key) const {
    PeftPatterns patterns;
    const Json* const found = Find(key);
    if (found == nullptr) return patterns;
    if (!found->is_object()) RefuseType(key, *found, "an object");
    if (found->size() > kMostPatterns) {
      Refuse(fmt::format("{} has {} expressions, at most {} are supported", Name(key),
                         FormatCount(found->size()), FormatCount(kMostPatterns)));
    }
    std::size_t bytes = 0;
    for (const auto& [pattern, number] : found->items()) {
      bytes += pattern.size();
      if (bytes > kMostPatternBytes) RefuseSize(key);
      if (!number.is_number()) {
        Refuse(fmt::format("{} of {} is of type {}, expected a number", Quote(pattern, 80),
                           Name(key), number.type_name()));
      }
      std::string problem;
      if (HasOpenCount(pattern)) RefusePattern(key, pattern, "write {0,n} for {,n}");
      if (!patterns.matchers.Add(kSegments, pattern, problem)) RefusePattern(key, pattern, problem);
      patterns.values.push_back(number.get<double>());
    }
    if (!patterns.matchers.Finish()) RefuseSize(key);
    return patterns;
  }

  [[noreturn]] void RefuseSize(std::string_view key) const {
    Refuse(fmt::format("the regular expressions of {} are too large together", Name(key)));
  }

  /// "a{,3}" is up to three to Python, and those very letters to RE2.
  static bool HasOpenCount(std::string_view pattern) {
    return pattern.find("{,") != std::string_view::npos;
  }

  void ReadFeedforward(PeftSection& section) const {
    constexpr std::string_view kKey = "feedforward_modules";
    const Json* const found = Find(kKey);
    if (found == nullptr) return;
    if (found->is_string()) {
      const std::string pattern = found->get<std::string>();
      std::string problem;
      section.feedforward = Matcher::Compile(pattern, problem);
      if (!section.feedforward) RefusePattern(kKey, pattern, problem);
      return;
    }
    if (!found->is_array()) RefuseType(kKey, *found, "a list of names or an expression");
    for (const Json& suffix : *found) {
      if (!suffix.is_string()) RefuseType(kKey, suffix, "names");
      section.feedforward_suffixes.push_back(suffix.get<std::string>());
    }
    if (section.feedforward_suffixes.size() > kMostSuffixes) {
      Refuse(fmt::format("{} has {} names, at most {} are supported", Name(kKey),
                         FormatCount(section.feedforward_suffixes.size()), kMostSuffixes));
    }
  }

  const Json& json_;
  std::string file_;
  std::string prefix_;
};

/// Throws kInput where the text is no JSON object, or nested deeper than any configuration.
Json ParseObject(const std::string& text, const std::string& file) {
  const auto refuse = [&](std::string_view problem) {
    throw Error(ErrorCode::kInput, fmt::format("{}: {}", Quote(file), problem));
  };
  if (text.size() > kMostBytes) {
    refuse(fmt::format("the configuration has {} bytes, at most {} are supported",
                       FormatCount(text.size()), FormatCount(kMostBytes)));
  }
  Json json;
  std::size_t keys = 0;
  try {
    json = ParseJson(text, [&](int depth, Json::parse_event_t event, const Json&) {
      // An ordered object searches its keys one by one.
      if (event == Json::parse_event_t::key && ++keys > kMostKeys) {
        refuse(fmt::format("it has more than {} keys", FormatCount(kMostKeys)));
      }
      if (depth > kDeepest) refuse(fmt::format("it is nested more than {} levels deep", kDeepest));
      return true;
    });
  } catch (const Json::parse_error& error) {
    refuse(fmt::format("malformed JSON at byte {}", error.byte));
  } catch (const Json::exception&) {
    refuse("a number of the JSON text is out of range");
  }
  if (!json.is_object()) refuse(fmt::format("JSON object expected, found {}", json.type_name()));
  return json;
}

/// diffusers puts one flat object into the metadata: "transformer.lora_alpha", for each model; a
/// model that is saved by itself has no name in it.
PeftConfig FromMetadata(const std::string& text, const std::string& file) {
  const Json json = ParseObject(text, file);
  std::map<std::string, Json> models;
  for (const auto& [key, value] : json.items()) {
    const std::size_t dot = key.find('.');
    const std::string prefix = dot == std::string::npos ? "" : key.substr(0, dot + 1);
    models[prefix][key.substr(prefix.size())] = value;
  }
  if (models.size() > kMostModels) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: it names {} models, at most {} are supported", Quote(file),
                            FormatCount(models.size()), kMostModels));
  }
  PeftConfig config;
  for (const auto& [prefix, own] : models) {
    config.sections.push_back(Reader(own, file, prefix).Read(config));
  }
  return config;
}

std::string Contents(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad() || !stream.is_open()) {
    throw Error(ErrorCode::kInput, fmt::format("{}: cannot be read", Quote(path.string())));
  }
  return text;
}

}  // namespace

std::optional<double> PeftPatterns::Of(std::string_view module) const {
  const std::optional<std::size_t> first = matchers.FirstMatch(module);
  return first ? std::optional(values[*first]) : std::nullopt;
}

PeftNumbers PeftConfig::Of(std::string_view stem) const {
  const auto of_stem = [&](const PeftSection& section) { return stem.starts_with(section.prefix); };
  // Sections are sorted by prefix: that of all models is the first.
  const auto found = std::ranges::find_if(sections.rbegin(), sections.rend(), of_stem);
  if (found == sections.rend()) return {};
  std::string_view module = stem.substr(found->prefix.size());
  if (module.starts_with(kWrapper)) module.remove_prefix(kWrapper.size());
  PeftNumbers numbers = found->numbers;
  if (const auto alpha = found->alphas.Of(module)) numbers.alpha = alpha;
  if (const auto rank = found->ranks.Of(module)) numbers.rank = rank;
  const auto ends = [&](const std::string& suffix) { return module.ends_with(suffix); };
  numbers.feedforward = (found->feedforward && found->feedforward->MatchesAll(module)) ||
                        std::ranges::any_of(found->feedforward_suffixes, ends);
  return numbers;
}

PeftConfig ParsePeftConfig(const std::string& text, const std::string& file) {
  PeftConfig config;
  config.sections.push_back(Reader(ParseObject(text, file), file, "").Read(config));
  return config;
}

PeftConfig ReadPeftConfig(const fs::path& adapter, const std::optional<Metadata>& metadata) {
  constexpr std::string_view kPeftFile = "adapter_model";
  std::error_code error;
  const bool folder = fs::is_directory(adapter, error);
  const fs::path path = (folder ? adapter : adapter.parent_path()) / "adapter_config.json";
  const bool named = folder || adapter.filename().string().starts_with(kPeftFile);
  if (named && fs::is_regular_file(path, error)) {
    PeftConfig config = ParsePeftConfig(Contents(path), path.string());
    config.file = path;
    return config;
  }
  constexpr const char* kKey = "lora_adapter_metadata";
  const auto found = metadata ? metadata->find(kKey) : Metadata::const_iterator();
  if (!metadata || found == metadata->end()) return {};
  return FromMetadata(found->second, fmt::format("{} ({})", adapter.string(), kKey));
}

}  // namespace weightsmith::internal
