#include "recipes/jobs/component_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

bool Names(const std::string& word, const ComponentAnatomy& component) {
  if (word == component.name) return true;
  const bool diffusion = word == "unet" || word == "transformer";
  return (diffusion && component.kind == ComponentKind::kDiffusion) ||
         (word == "te" && component.kind == ComponentKind::kText);
}

}  // namespace

std::set<std::string> ChosenComponents(const std::vector<std::string>& words,
                                       const Anatomy& anatomy, std::string_view doing) {
  std::set<std::string> chosen;
  std::vector<std::string> known;
  for (const ComponentAnatomy& component : anatomy.components) known.push_back(component.name);
  for (const std::string& word : words) {
    bool found = false;
    for (const ComponentAnatomy& component : anatomy.components) {
      if (!Names(word, component)) continue;
      chosen.insert(component.name);
      found = true;
    }
    if (found) continue;
    throw Error(ErrorCode::kMismatch,
                fmt::format("{}: the file has no component {}.{}", doing, Quote(word),
                            DidYouMean(word, known)),
                fmt::format("It has {}.", fmt::join(known, ", ")));
  }
  return chosen;
}

}  // namespace weightsmith
