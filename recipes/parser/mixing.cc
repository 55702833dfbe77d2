#include "recipes/parser/mixing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "merge/expression/foreign_operators.h"
#include "merge/operator.h"
#include "recipes/parser/advice.h"
#include "recipes/parser/lists.h"
#include "recipes/parser/operator_word.h"
#include "recipes/source/writer.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kAverage = "average";
constexpr std::string_view kLinear = "linear";
constexpr std::string_view kSum = "weighted_sum";

SourceNode ScalarNode(std::string text, bool plain, const SourcePlace& place) {
  SourceNode node;
  node.type = SourceNode::Type::kScalar;
  node.text = std::move(text);
  node.plain = plain;
  node.place = place;
  return node;
}

void Put(SourceNode& map, std::string_view key, SourceNode value) {
  map.keys.push_back(ScalarNode(std::string(key), true, value.place));
  map.items.push_back(std::move(value));
}

/// The words of "photo, anime", as nodes.
std::vector<SourceNode> Parts(const SourceNode& text) {
  std::vector<SourceNode> parts;
  for (std::string& word : WordsOf(text.text)) {
    parts.push_back(ScalarNode(std::move(word), true, text.place));
  }
  return parts;
}

/// An entry of a list: a name, a step, {model: photo, weight: 0.7}, or photo: 0.7.
bool AddEntry(const SourceNode& entry, Mix& mix) {
  if (entry.scalar() || entry.Find("op") != nullptr) {
    mix.models.push_back(entry);
    return true;
  }
  if (!entry.map() || entry.keys.empty()) return false;
  const SourceNode* model = nullptr;
  const SourceNode* weight = nullptr;
  for (std::size_t i = 0; i < entry.keys.size(); ++i) {
    const std::string& key = entry.keys[i].text;
    if (IsCalled(key, "model")) {
      model = &entry.items[i];
    } else if (IsCalled(key, "weight")) {
      weight = &entry.items[i];
    } else if (entry.keys.size() == 1) {
      model = &entry.keys[i];
      weight = &entry.items[i];
    } else {
      return false;
    }
  }
  if (model == nullptr || !(model->scalar() || model->map())) return false;
  mix.models.push_back(*model);
  if (weight != nullptr) mix.weights.push_back(*weight);
  return weight == nullptr || weight->scalar() || weight->map();
}

/// The models of a list, of a text "photo, anime", or of a mapping {photo: 0.7}.
bool AddModels(const SourceNode& value, Mix& mix) {
  if (value.scalar()) {
    mix.models = Parts(value);
    return true;
  }
  if (value.map() && value.Find("op") == nullptr) {
    mix.models = value.keys;
    mix.weights = value.items;
    return std::ranges::all_of(value.items, &SourceNode::scalar);
  }
  return value.list() && std::ranges::all_of(value.items, [&](const SourceNode& entry) {
           return AddEntry(entry, mix);
         });
}

/// What a key "weights" or "alpha" holds: a weight for each model, or the share of the second.
bool AddWeights(const SourceNode& value, bool plural, Mix& mix) {
  if (!mix.weights.empty() || mix.share) return false;
  std::vector<SourceNode> weights;
  if (value.list()) weights = value.items;
  // "0,7" is a number with a comma.
  if (value.scalar() && plural && value.text.find_first_of(". ") != std::string::npos) {
    weights = Parts(value);
  }
  if (value.map()) {
    for (const SourceNode& model : mix.models) {
      const SourceNode* weight = model.scalar() ? value.Find(model.text) : nullptr;
      if (weight != nullptr) weights.push_back(*weight);
    }
    if (weights.size() != value.items.size()) weights.clear();
  }
  // A list for blocks is longer.
  constexpr std::size_t kMost = 11;
  const std::size_t count = weights.size();
  const bool fits = count == mix.models.size() && (plural || !mix.pair);
  const bool each = count > 1 && (fits || (plural && !mix.pair && count <= kMost));
  if (each && std::ranges::all_of(weights, &SourceNode::scalar)) {
    mix.weights = std::move(weights);
  } else {
    mix.share = value;
  }
  return true;
}

double Sum(const Mix& mix, bool& known) {
  double sum = 0;
  for (const SourceNode& weight : mix.weights) {
    const auto number = weight.scalar() ? ParseNumber(weight.text) : std::nullopt;
    known = known && number.has_value();
    sum += number.value_or(0);
  }
  return sum;
}

/// The operator for what a step of `op` gives; empty where `op` is right, or nobody knows better.
std::string_view Fitting(const Mix& mix, std::string_view op) {
  const bool weights = !mix.weights.empty();
  if (op == kAverage) {
    if (mix.pair && !weights && !mix.share) return kAverage;
    return mix.pair || weights || mix.share ? OperatorOf(mix) : "";
  }
  if (op == kLinear) return mix.pair || mix.share ? OperatorOf(mix) : "";
  if (op != kSum) return {};
  if (mix.pair) return NeedsNormalize(mix) ? kLinear : "";
  return mix.models.size() == 2 && !weights ? kSum : OperatorOf(mix);
}

std::string_view AboutOperator(std::string_view op) {
  return op == kLinear ? "A weighted average is op: linear. "
         : op == kSum  ? "Two models and the share of the second are op: weighted_sum. "
                       : "The mean of models is op: average. ";
}

}  // namespace

std::optional<Mix> ReadMix(const SourceNode& step) {
  Mix mix;
  std::optional<std::size_t> a;
  std::optional<std::size_t> b;
  std::optional<std::size_t> list;
  std::optional<std::size_t> weights;
  for (std::size_t i = 0; i < step.keys.size(); ++i) {
    const std::string& key = step.keys[i].text;
    if (IsReported(step.items[i])) return std::nullopt;
    if (key == "a" || key == "model_a") {
      a = i;
    } else if (key == "b" || key == "model_b") {
      b = i;
    } else if (IsCalled(key, "of")) {
      if (list) return std::nullopt;
      list = i;
    } else if (IsCalled(key, "alpha") || key == "ratios" || key == "alphas") {
      if (weights) return std::nullopt;
      weights = i;
    } else if (key == "c" || key == "model" || key == "adapters" || key == "beta") {
      return std::nullopt;
    }
  }
  if (list ? (a || b) : !(a && b)) return std::nullopt;
  mix.pair = !list;
  mix.models_key = list ? *list : std::min(*a, *b);
  if (list && !AddModels(step.items[*list], mix)) return std::nullopt;
  if (!list) mix.models = {step.items[*a], step.items[*b]};
  for (const auto& key : {list, a, b, weights}) {
    if (key) mix.keys.push_back(*key);
  }
  mix.weights_key = weights;
  const bool plural = weights && step.keys[*weights].text.ends_with('s');
  if (weights && !AddWeights(step.items[*weights], plural, mix)) return std::nullopt;
  if (mix.models.empty()) return std::nullopt;
  return mix;
}

std::string_view OperatorOf(const Mix& mix) {
  if (!mix.weights.empty()) return mix.pair && !NeedsNormalize(mix) ? kSum : kLinear;
  if (mix.share) return mix.models.size() == 2 ? kSum : "";
  return mix.pair ? kSum : kAverage;
}

bool Mixes(std::string_view op) {
  return op == kAverage || op == kLinear || op == kSum;
}

bool IsMixing(std::string_view word) {
  constexpr std::array<std::string_view, 11> kParts{
      "average", "avg", "mean", "blend", "mix", "merge", "lerp", "interp", "combin", "sum", "soup"};
  // Of one that does something else, that is told.
  if (ForeignOperatorLike(word).empty() && !NearestToForeign(word).empty()) return false;
  const std::string folded = Lowercase(word);
  const auto has = [&](std::string_view part) { return folded.find(part) != std::string::npos; };
  if (has("diff") || has("sub")) return false;
  return folded == "weighted" || std::ranges::any_of(kParts, has);
}

bool NeedsNormalize(const Mix& mix) {
  bool known = true;
  const double sum = Sum(mix, known);
  return known && !mix.weights.empty() && mix.Whole() && std::abs(sum - 1) > 1e-6;
}

SourceNode ListOf(const Mix& mix, bool weighted, const SourcePlace& place) {
  SourceNode list;
  list.type = SourceNode::Type::kList;
  list.flow = true;
  list.place = place;
  for (std::size_t i = 0; i < mix.models.size(); ++i) {
    if (!weighted) {
      list.items.push_back(mix.models[i]);
      continue;
    }
    SourceNode entry;
    entry.type = SourceNode::Type::kMap;
    entry.flow = true;
    entry.place = mix.models[i].place;
    Put(entry, "model", mix.models[i]);
    Put(entry, "weight", mix.weights[i]);
    list.items.push_back(std::move(entry));
  }
  return list;
}

std::string Counts(const Mix& mix) {
  const auto count = [](std::size_t number, std::string_view thing) {
    return fmt::format("{} {}{}", number, thing, number == 1 ? "" : "s");
  };
  return fmt::format("There are {} and {}.", count(mix.models.size(), "model"),
                     count(mix.weights.size(), "weight"));
}

SourceNode StepWith(std::string_view op, const Mix& mix, const SourceNode& step) {
  SourceNode made;
  made.type = SourceNode::Type::kMap;
  made.flow = true;
  made.place = step.place;
  const SourceNode* word = step.Find("op");
  Put(made, "op", ScalarNode(std::string(op), true, word == nullptr ? step.place : word->place));
  const SourcePlace place = step.keys[mix.models_key].place;
  if (op == kSum) {
    Put(made, "a", mix.models[0]);
    Put(made, "b", mix.models[1]);
    if (mix.share) Put(made, "alpha", *mix.share);
    if (!mix.share && mix.weights.size() == 2) Put(made, "alpha", mix.weights[1]);
  } else {
    Put(made, "of", mix.Whole() ? ListOf(mix, op == kLinear, place) : ReportedNode(place));
  }
  const Operator* known = FindOperator(op);
  if (op == kLinear && NeedsNormalize(mix) && step.Find("normalize") == nullptr) {
    Put(made, "normalize", ScalarNode("true", true, place));
  }
  for (std::size_t i = 0; i < step.keys.size(); ++i) {
    const bool taken = std::ranges::find(mix.keys, i) != mix.keys.end();
    const std::string& key = step.keys[i].text;
    // "vae: true" is what linear does without being asked.
    if (taken || key == "op" || (IsKeyOfAny(key) && !IsKeyOf(*known, key))) continue;
    Put(made, key, step.items[i]);
    made.keys.back().place = step.keys[i].place;
  }
  return made;
}

std::optional<SourceNode> WithFittingOperator(Reader& reader, const SourceNode& step,
                                              const Operator& op, const std::string& called) {
  constexpr std::size_t kShown = 300;
  const auto mix = Mixes(op.name) ? ReadMix(step) : std::nullopt;
  if (!mix) return std::nullopt;
  std::string_view wanted = Fitting(*mix, op.name);
  if (wanted.empty()) return std::nullopt;
  if (!mix->Whole()) wanted = kLinear;
  const bool form = mix->pair != (op.name == kSum);
  const auto key = form ? std::optional(mix->models_key) : mix->weights_key;
  SourceNode made = StepWith(wanted, *mix, step);
  std::string text = FlowText(made, kShown);
  if (!mix->Whole()) {
    text = fmt::format("op: {}, and a weight for each model. {}", wanted, Counts(*mix));
  } else if (text.ends_with("…")) {
    text = fmt::format("op: {}, and each model with its weight.", wanted);
  }
  reader.diagnostics().AddError(
      step.keys[key.value_or(mix->models_key)].place,
      key ? fmt::format("{} has no key {}", called, Quote(step.keys[*key].text))
          : fmt::format("{} takes models without weights", called),
      fmt::format("{}Write {}", wanted == op.name ? "" : AboutOperator(wanted), text));
  return made;
}

}  // namespace weightsmith::internal
