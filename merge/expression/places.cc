#include "merge/expression/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

/// A component as recipes may write it, and what it is called here.
struct ComponentWord {
  std::string_view written;  ///< lower case
  std::string_view meant;
};
constexpr std::array kComponents{
    ComponentWord{"unet", "diffusion"}, ComponentWord{"transformer", "diffusion"},
    ComponentWord{"dit", "diffusion"},  ComponentWord{"te", "te"},
    ComponentWord{"base", "te"},        ComponentWord{"vae", "vae"},
    ComponentWord{"ema", "ema"},        ComponentWord{"other", "other"},
};
/// Text encoders by number.
constexpr std::string_view kEncoders[] = {"te1", "te2", "te3"};

/// What people call places that have another name here.
constexpr ComponentWord kMeant[] = {
    {"text_encoder", "te1"},
    {"text_encoder_1", "te1"},
    {"text_encoder_2", "te2"},
    {"text_encoder_3", "te3"},
    {"text_encoders", "te"},
    {"text", "te"},
    {"clip", "te"},
    {"encoders", "te"},
    {"conditioner", "te"},
    {"cond_stage_model", "te"},
    {"t5", "t5xxl"},
    {"diffusion", "unet"},
    {"diffusion_model", "unet"},
    {"model.diffusion_model", "unet"},
    {"first_stage_model", "vae"},
    {"autoencoder", "vae"},
    {"all", "default"},
    {"*", "default"},
    {"everything", "default"},
    {"else", "default"},
    {"mid00", "M00"},
    {"middle", "M00"},
    {"middle_block", "M00"},
    {"mid_block", "M00"},
    {"input_blocks", "unet.in"},
    {"output_blocks", "unet.out"},
    {"down_blocks", "unet.in"},
    {"up_blocks", "unet.out"},
};

/// What a recipe's word for a component means; empty where it is none. Components that several
/// architectures share have the names of their declarations.
std::string ComponentMeant(std::string_view lower) {
  const auto word = std::ranges::find(kComponents, lower, &ComponentWord::written);
  if (word != kComponents.end()) return std::string(word->meant);
  const bool part =
      std::ranges::any_of(Parts(), [&](const Part* known) { return known->id == lower; });
  const bool number = std::ranges::find(kEncoders, lower) != std::end(kEncoders);
  return part || number ? std::string(lower) : std::string();
}

/// Families as recipes may write them; a transformer that is not declared may have others.
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
  std::string_view shown;
};
constexpr Letters kLetters[] = {{"in", "in", "IN"},
                                {"out", "out", "OUT"},
                                {"m", "mid", "M"},
                                {"d", "double", "D"},
                                {"s", "single", "S"}};

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
  const auto* const meant = std::ranges::find(kMeant, lower, &ComponentWord::written);
  if (meant != std::end(kMeant)) {
    return "unknown place " + Quote(text) + ". Did you mean " + Quote(meant->meant) + "?";
  }
  if (const std::string block = MeantBlock(lower); !block.empty()) {
    return "unknown place " + Quote(text) + ". Did you mean " + Quote(block) + "?";
  }
  std::vector<std::string> known{"default"};
  for (const std::string_view word : Selector::Components()) known.emplace_back(word);
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
  const std::string lower = Lowercase(text.substr(0, colon));
  if (std::string meant = ComponentMeant(lower); !meant.empty()) {
    selector.specificity_ = Specificity::kComponent;
    selector.component_ = std::move(meant);
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
  if (dot != std::string_view::npos) {
    component_ = ComponentMeant(lower.substr(0, dot));
    if (!component_.empty()) lower.remove_prefix(dot + 1);
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
  words.insert(words.end(), std::begin(kEncoders), std::end(kEncoders));
  for (const Part* part : Parts()) {
    if (std::ranges::find(words, part->id) == words.end()) words.push_back(part->id);
  }
  return words;
}

/// "IN00-IN05" for "input_blocks.0-5", "IN00" for "inp00".
std::string MeantBlock(std::string_view written) {
  constexpr ComponentWord kStems[] = {
      {"input_blocks", "IN"}, {"output_blocks", "OUT"}, {"input", "IN"},       {"output", "OUT"},
      {"inp", "IN"},          {"double_blocks", "D"},   {"single_blocks", "S"}};
  std::string lower = Lowercase(written);
  constexpr std::string_view kPrefix = "model.diffusion_model.";
  if (lower.starts_with(kPrefix)) lower.erase(0, kPrefix.size());
  if (lower.starts_with("middle_block")) return "M00";
  for (const ComponentWord& stem : kStems) {
    if (!lower.starts_with(stem.written)) continue;
    std::string_view numbers = std::string_view(lower).substr(stem.written.size());
    if (numbers.starts_with('.') || numbers.starts_with('_')) numbers.remove_prefix(1);
    const std::size_t dash = std::min(numbers.find('-'), numbers.size());
    const auto first = Digits(numbers.substr(0, dash));
    if (!first) continue;
    const std::string block = fmt::format("{}{:02}", stem.meant, *first);
    if (dash == numbers.size()) return block;
    const auto last = Digits(numbers.substr(dash + 1));
    if (last) return fmt::format("{}-{}{:02}", block, stem.meant, *last);
  }
  return {};
}

std::string_view CommunityLetters(std::string_view family) {
  const auto* const letters = std::ranges::find(kLetters, family, &Letters::family);
  return letters == std::end(kLetters) ? std::string_view() : letters->shown;
}

std::string Selector::Key() const {
  const auto number = [](const std::optional<std::uint32_t>& value) {
    return value ? std::to_string(*value) : std::string("-");
  };
  const int rank = static_cast<int>(specificity_);
  return fmt::format("{} {} {} {} {} {}", rank, component_, family_, number(first_), number(last_),
                     regex_ ? text_ : element_);
}

std::optional<NumberedBlock> Selector::OneBlock() const {
  if (regex_ || family_.empty() || !first_ || first_ != last_) return std::nullopt;
  return NumberedBlock(family_, *first_);
}

void RowIndex::Add(const Selector& selector) {
  const std::optional<NumberedBlock> block = selector.OneBlock();
  (block ? by_block_[*block] : others_).push_back(count_++);
}

std::vector<std::size_t> RowIndex::RowsFor(const TensorPlace& place) const {
  if (by_block_.empty() || !place.block.index) return others_;
  const auto own = by_block_.find({std::string(place.block.family), *place.block.index});
  if (own == by_block_.end()) return others_;
  std::vector<std::size_t> rows;
  std::ranges::merge(others_, own->second, std::back_inserter(rows));
  return rows;
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
  // A block without its component is of the diffusion model, or of what is not declared.
  if (component_.empty()) {
    return family_.empty() || place.kind == ComponentKind::kBackbone ||
           place.kind == ComponentKind::kOther;
  }
  if (component_ == "diffusion") return place.kind == ComponentKind::kBackbone;
  if (component_ == "te") return place.kind == ComponentKind::kText;
  const auto* const number = std::ranges::find(kEncoders, component_);
  if (number != std::end(kEncoders)) {
    return place.text_encoder == static_cast<std::uint32_t>(number - std::begin(kEncoders)) + 1;
  }
  if (component_ == "vae") return place.kind == ComponentKind::kVae;
  return place.component == component_;
}

double Selector::Position(const TensorPlace& place) const {
  if (!first_ || !place.block.index) return place.depth;
  if (*first_ == *last_) return 0;
  return static_cast<double>(*place.block.index - *first_) / static_cast<double>(*last_ - *first_);
}

bool Selector::NamesKind() const {
  return specificity_ == Specificity::kComponent &&
         std::ranges::any_of(kComponents,
                             [&](const ComponentWord& word) { return word.meant == component_; });
}

Selector Selector::WithoutElement() const {
  Selector block = *this;
  block.element_.clear();
  return block;
}

bool Selector::NamesVae() const {
  if (!regex_) return component_ == "vae";
  const std::string lower = Lowercase(text_);
  return lower.find("vae") != std::string::npos ||
         lower.find("first_stage_model") != std::string::npos;
}

}  // namespace weightsmith::internal
