#include "merge/places.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/text.h"

namespace weightsmith {
namespace {

/// Longer patterns than any tensor's name needs.
constexpr std::size_t kLongestPattern = 1000;
/// The matcher recurses by characters; no name of a real tensor comes near.
constexpr std::size_t kLongestName = 4096;

/// A component as recipes may write it, and what it is called here.
struct ComponentWord {
  std::string_view written;  ///< lower case
  std::string_view meant;
};
constexpr std::array kComponents{
    ComponentWord{"unet", "diffusion"}, ComponentWord{"transformer", "diffusion"},
    ComponentWord{"dit", "diffusion"},  ComponentWord{"te", "te"},
    ComponentWord{"base", "te"},        ComponentWord{"te1", "te1"},
    ComponentWord{"te2", "te2"},        ComponentWord{"te3", "te3"},
    ComponentWord{"clip_l", "clip_l"},  ComponentWord{"clip_g", "clip_g"},
    ComponentWord{"clip_h", "clip_h"},  ComponentWord{"t5xxl", "t5xxl"},
    ComponentWord{"vae", "vae"},        ComponentWord{"ema", "ema"},
    ComponentWord{"other", "other"},
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

/// Whether text has the form of a block, or of an element in one: known to other versions.
bool LooksLikeBlock(const std::string& lower) {
  static const std::regex form(
      "(in|out|mid|m|d|s)\\d{1,3}(-(in|out|mid|m|d|s)?\\d{1,3})?"
      "|time|label|embed|head"
      "|(unet|dit|transformer|vae|te[123]?|clip_[lgh]|t5xxl|layer)\\.[a-z0-9_.-]+"
      "|[a-z0-9_.-]+:.+");
  return lower.size() <= 200 && std::regex_match(lower, form);
}

std::string UnknownPlace(std::string_view text, const std::string& lower) {
  if (LooksLikeBlock(lower)) {
    return Quote(text) +
           " has the form of a block, and block names are not understood by this version: write a "
           "component (unet, te, vae, ...), default, or a regular expression between slashes";
  }
  std::vector<std::string> known{"default"};
  for (const ComponentWord& word : kComponents) known.emplace_back(word.written);
  return "unknown place " + Quote(text) + "." + DidYouMean(lower, known);
}

}  // namespace

std::optional<Selector> Selector::Parse(std::string_view text, std::string& problem) {
  Selector selector;
  selector.text_ = text;
  if (text.size() >= 2 && text.front() == '/' && text.back() == '/') {
    selector.specificity_ = Specificity::kRegex;
    selector.regex_ = Compile(text.substr(1, text.size() - 2), problem);
    if (selector.regex_ == nullptr) return std::nullopt;
    return selector;
  }
  const std::string lower = Lower(text);
  if (lower == "default") return selector;
  const auto word = std::ranges::find(kComponents, lower, &ComponentWord::written);
  if (word == kComponents.end()) {
    problem = UnknownPlace(text, lower);
    return std::nullopt;
  }
  selector.specificity_ = Specificity::kComponent;
  selector.component_ = word->meant;
  return selector;
}

std::shared_ptr<const std::regex> Selector::Compile(std::string_view pattern,
                                                    std::string& problem) {
  if (pattern.empty()) {
    problem = "the regular expression // is empty: write default for everything";
    return nullptr;
  }
  if (pattern.size() > kLongestPattern) {
    problem = "the regular expression " + Quote(pattern, 40) + " has " +
              FormatCount(pattern.size()) + " bytes, more than " + FormatCount(kLongestPattern);
    return nullptr;
  }
  try {
    return std::make_shared<const std::regex>(pattern.begin(), pattern.end());
  } catch (const std::regex_error& error) {
    problem = "the regular expression " + Quote(pattern) + " is malformed: " + error.what();
    return nullptr;
  }
}

std::vector<std::string_view> Selector::Components() {
  std::vector<std::string_view> words;
  for (const ComponentWord& word : kComponents) words.push_back(word.written);
  return words;
}

bool Selector::Matches(const TensorPlace& place) const {
  if (specificity_ == Specificity::kDefault) return true;
  if (regex_ != nullptr) {
    const std::string_view name = place.canonical.substr(0, kLongestName);
    return std::regex_search(name.begin(), name.end(), *regex_);
  }
  if (component_ == "diffusion") return place.kind == ComponentKind::kDiffusion;
  if (component_ == "te") return place.kind == ComponentKind::kText;
  if (component_ == "te1") return place.text_encoder == 1;
  if (component_ == "te2") return place.text_encoder == 2;
  if (component_ == "te3") return place.text_encoder == 3;
  if (component_ == "vae") return place.kind == ComponentKind::kVae;
  return place.component == component_;
}

bool Selector::NamesVae() const {
  if (regex_ == nullptr) return component_ == "vae";
  const std::string lower = Lower(text_);
  return lower.find("vae") != std::string::npos ||
         lower.find("first_stage_model") != std::string::npos;
}

}  // namespace weightsmith
