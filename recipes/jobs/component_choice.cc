#include "recipes/jobs/component_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/text_encoders.h"
#include "merge/expression/places.h"

namespace weightsmith::internal {
namespace {

/// What a place sees of a component.
TensorPlace PlaceOf(const ComponentAnatomy& component, const Anatomy& anatomy) {
  return {"", component.name, component.kind,
          TextEncoderNumber(anatomy.architecture, component.name)};
}

bool Names(const std::string& word, const TensorPlace& place) {
  if (word == place.component) return true;
  std::string problem;
  const auto selector = Selector::Parse(word, problem);
  return selector && selector->specificity() == Specificity::kComponent && selector->Matches(place);
}

/// "unet, clip_l (te1), vae".
std::string InWords(const Anatomy& anatomy) {
  std::vector<std::string> words;
  for (const ComponentAnatomy& component : anatomy.components) {
    const std::uint32_t number = PlaceOf(component, anatomy).text_encoder;
    words.push_back(number == 0 ? component.name
                                : fmt::format("{} (te{})", component.name, number));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

std::set<std::string> ChosenComponents(const std::vector<std::string>& words,
                                       const Anatomy& anatomy) {
  std::set<std::string> chosen;
  std::vector<std::string> known;
  for (const ComponentAnatomy& component : anatomy.components) known.push_back(component.name);
  for (const std::string& word : words) {
    bool found = false;
    for (const ComponentAnatomy& component : anatomy.components) {
      if (!Names(word, PlaceOf(component, anatomy))) continue;
      chosen.insert(component.name);
      found = true;
    }
    if (found) continue;
    throw Error(
        ErrorCode::kMismatch,
        fmt::format("the file has no component {}.{}", Quote(word), DidYouMean(word, known)),
        fmt::format("It has {}.", InWords(anatomy)));
  }
  return chosen;
}

RecipeModel ModelOf(const FileReference& file, const std::set<std::string>& components) {
  RecipeModel model{.name = "model"};
  if (components.empty()) model.parts.push_back({.component = std::nullopt, .file = file});
  for (const std::string& component : components) {
    model.parts.push_back({.component = component, .file = file});
  }
  return model;
}

}  // namespace weightsmith::internal
