#include "core/model/distilled.h"

#include <cctype>
#include <string_view>

#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kDistilledWords[] = {"turbo", "lightning", "lcm",    "hyper",
                                                "dmd2",  "tcd",       "schnell"};
constexpr std::string_view kKeys[] = {"modelspec.architecture", "modelspec.title",
                                      "modelspec.implementation"};

/// Whether the word stands in the text by itself, in any case.
bool HasWord(std::string_view text, std::string_view word) {
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const std::string lower = Lowercase(text);
  for (std::size_t at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !letter(lower[at - 1])) && (end == lower.size() || !letter(lower[end]))) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<Distilled> TellDistilled(const Anatomy& anatomy,
                                       const std::optional<Metadata>& metadata) {
  if (anatomy.row != nullptr && !anatomy.row->distilled.empty()) {
    return Distilled{std::string(anatomy.row->distilled), std::string(anatomy.row->distilled_by)};
  }
  for (const TensorAnatomy& tensor : anatomy.tensors) {
    if (tensor.local == "time_embed.cond_proj.weight") return Distilled{"lcm", tensor.local};
  }
  if (!metadata || anatomy.architecture == nullptr) return std::nullopt;
  for (const std::string_view key : kKeys) {
    const auto found = metadata->find(std::string(key));
    if (found == metadata->end()) continue;
    for (const std::string_view word : kDistilledWords) {
      if (HasWord(found->second, word)) return Distilled{std::string(word), std::string(key)};
    }
  }
  return std::nullopt;
}

}  // namespace weightsmith::internal
