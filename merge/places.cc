#include "merge/places.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/text.h"

namespace weightsmith {
namespace {

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

/// Families as recipes may write them; a transformer that nobody declared may have others.
constexpr std::string_view kFamilies[] = {
    "in",    "mid",   "out",   "time", "label",   "final",   "double",        "single",
    "joint", "layer", "embed", "head", "encoder", "decoder", "noise_refiner", "context_refiner"};

/// Families of many blocks: without a number, all of them are meant.
bool IsNumbered(std::string_view family) {
  constexpr std::string_view kSingle[] = {"mid",  "time",  "label",   "final",
                                          "head", "embed", "encoder", "decoder"};
  return std::ranges::find(kSingle, family) == std::end(kSingle);
}

/// The community's letters in front of two digits.
struct Letters {
  std::string_view written;  ///< lower case
  std::string_view family;
};
constexpr Letters kLetters[] = {
    {"in", "in"}, {"out", "out"}, {"m", "mid"}, {"d", "double"}, {"s", "single"}};

std::optional<std::uint32_t> Digits(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || text.size() > 4 || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// Whether whole steps of the name are this: "attn1.to_out" in "….attn1.to_out.0.weight".
bool HasStep(std::string_view name, std::string_view element) {
  for (std::size_t at = name.find(element); at != std::string_view::npos;
       at = name.find(element, at + 1)) {
    const std::size_t end = at + element.size();
    if ((at == 0 || name[at - 1] == '.') && (end == name.size() || name[end] == '.')) return true;
  }
  return false;
}

std::string UnknownPlace(std::string_view text, std::string_view lower) {
  std::vector<std::string> known{"default"};
  for (const ComponentWord& word : kComponents) known.emplace_back(word.written);
  for (const std::string_view family : kFamilies) known.emplace_back(family);
  const std::string question = DidYouMean(lower, known);
  return "unknown place " + Quote(text) + (question.empty() ? "" : "." + question);
}

std::optional<Matcher> CompileRegex(std::string_view pattern, std::string& problem) {
  if (pattern.empty()) {
    problem = "the regular expression // is empty: write default for everything";
    return std::nullopt;
  }
  std::optional<Matcher> matcher = Matcher::Compile(pattern, problem);
  if (!matcher) {
    problem = "the regular expression " + Quote(pattern, 80) + " cannot be used: " + problem;
  }
  return matcher;
}

}  // namespace

std::optional<Selector> Selector::Parse(std::string_view text, std::string& problem) {
  Selector selector;
  selector.text_ = text;
  if (text.size() >= 2 && text.front() == '/' && text.back() == '/') {
    selector.specificity_ = Specificity::kRegex;
    selector.regex_ = CompileRegex(text.substr(1, text.size() - 2), problem);
    if (!selector.regex_) return std::nullopt;
    return selector;
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string lower = Lower(text.substr(0, colon));
  const auto word = std::ranges::find(kComponents, lower, &ComponentWord::written);
  if (word != kComponents.end()) {
    selector.specificity_ = Specificity::kComponent;
    selector.component_ = word->meant;
  } else if (lower != "default" && !selector.ParseBlock(lower)) {
    problem = UnknownPlace(text, lower);
    return std::nullopt;
  }
  if (colon == text.size()) return selector;
  selector.element_ = text.substr(colon + 1);
  selector.specificity_ = Specificity::kElement;
  if (selector.element_.empty()) {
    problem = "no element stands behind the colon of " + Quote(text);
    return std::nullopt;
  }
  return selector;
}

/// "in.3", "te.layer.0-11", "vae.decoder", "in00-in05", "m00".
bool Selector::ParseBlock(std::string_view lower) {
  const std::size_t dot = lower.find('.');
  const auto owner = std::ranges::find(kComponents, lower.substr(0, dot), &ComponentWord::written);
  if (dot != std::string_view::npos && owner != kComponents.end()) {
    component_ = owner->meant;
    lower.remove_prefix(dot + 1);
  }
  const auto family = std::ranges::find(kFamilies, lower.substr(0, lower.find('.')));
  if (family != std::end(kFamilies)) {
    family_ = *family;
    lower.remove_prefix(family_.size());
    if (lower.empty()) {
      specificity_ = IsNumbered(family_) ? Specificity::kBlockRange : Specificity::kBlock;
      return true;
    }
    return lower.starts_with('.') && ParseRange(lower.substr(1), "");
  }
  for (const Letters& letters : kLetters) {
    if (!lower.starts_with(letters.written)) continue;
    family_ = letters.family;
    if (!ParseRange(lower.substr(letters.written.size()), letters.written)) continue;
    if (family_ == "mid") first_ = last_ = std::nullopt;
    return true;
  }
  // A stem that nobody declared: "trunk.4".
  const std::size_t number = lower.find('.');
  if (number == std::string_view::npos || number == 0) return false;
  family_ = lower.substr(0, number);
  return ParseRange(lower.substr(number + 1), "");
}

/// "3", "0-8", and with letters in front "00-in05".
bool Selector::ParseRange(std::string_view text, std::string_view letters) {
  const std::size_t dash = std::min(text.find('-'), text.size());
  first_ = last_ = Digits(text.substr(0, dash));
  specificity_ = Specificity::kBlock;
  if (dash < text.size()) {
    std::string_view end = text.substr(dash + 1);
    if (!letters.empty() && end.starts_with(letters)) end.remove_prefix(letters.size());
    last_ = Digits(end);
    specificity_ = Specificity::kBlockRange;
  }
  return first_ && last_ && *first_ <= *last_;
}

std::span<const std::string_view> Selector::Families() {
  return kFamilies;
}

std::vector<std::string_view> Selector::Components() {
  std::vector<std::string_view> words;
  for (const ComponentWord& word : kComponents) words.push_back(word.written);
  return words;
}

bool Selector::Matches(const TensorPlace& place) const {
  if (regex_) return regex_->Search(place.canonical);
  if (!MatchesComponent(place)) return false;
  if (!family_.empty()) {
    if (place.block.family != family_) return false;
    const std::uint32_t index = place.block.index.value_or(0);
    if (first_ && (!place.block.index || index < *first_ || index > *last_)) return false;
  }
  return element_.empty() || HasStep(place.canonical, element_);
}

bool Selector::MatchesComponent(const TensorPlace& place) const {
  // A block without its component is of the diffusion model, or of what nobody declared.
  if (component_.empty()) {
    return family_.empty() || place.kind == ComponentKind::kDiffusion ||
           place.kind == ComponentKind::kOther;
  }
  if (component_ == "diffusion") return place.kind == ComponentKind::kDiffusion;
  if (component_ == "te") return place.kind == ComponentKind::kText;
  if (component_ == "te1") return place.text_encoder == 1;
  if (component_ == "te2") return place.text_encoder == 2;
  if (component_ == "te3") return place.text_encoder == 3;
  if (component_ == "vae") return place.kind == ComponentKind::kVae;
  return place.component == component_;
}

double Selector::Position(const TensorPlace& place) const {
  if (!first_ || !place.block.index) return place.depth;
  if (*first_ == *last_) return 0;
  return static_cast<double>(*place.block.index - *first_) / static_cast<double>(*last_ - *first_);
}

bool Selector::NamesVae() const {
  if (!regex_) return component_ == "vae";
  const std::string lower = Lower(text_);
  return lower.find("vae") != std::string::npos ||
         lower.find("first_stage_model") != std::string::npos;
}

}  // namespace weightsmith
