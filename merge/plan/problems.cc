#include "merge/plan/problems.h"

#include <fmt/core.h>

#include <set>
#include <utility>

namespace weightsmith::internal {
namespace {

constexpr std::size_t kShown = 4;
/// More is not read; a damaged pair of files has one for every tensor.
constexpr std::size_t kShownGroups = 50;

}  // namespace

std::string ListSome(const std::vector<std::string>& names, std::uint64_t count) {
  std::string text;
  const std::size_t shown = std::min<std::size_t>(names.size(), kShown);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += ", ";
    text += names[i];
  }
  if (count > shown) text += fmt::format(" and {} more", count - shown);
  return text;
}

void Problems::Add(const std::string& group, const std::string& tensor, const std::string& advice,
                   std::vector<Option> options) {
  Group& at = groups_[group];
  ++at.count;
  if (at.first.size() < kShown) at.first.push_back(tensor);
  at.advice = advice;
  at.options = std::move(options);
}

void Problems::AddBlock(const std::string& group, const std::string& block,
                        const std::string& advice) {
  if (groups_[group].blocks.insert(block).second) Add(group, block, advice);
}

void Problems::AddQuantised(const std::string& model, const std::string& scheme,
                            const std::string& weight) {
  Add(fmt::format("'{}' holds quantised weights ({}), which can be copied and not computed with",
                  model, scheme),
      weight, "Use the model's 16-bit file.");
}

void Problems::Add(const std::string& sentence) {
  groups_[sentence];
}

void Problems::AddSentence(const std::string& sentence, const std::string& advice) {
  groups_[sentence].advice = advice;
}

void Problems::ThrowIfAny() const {
  if (groups_.empty()) return;
  std::string message;
  std::set<std::string> advice;
  std::set<Option> options;
  std::size_t shown = 0;
  for (const auto& [group, at] : groups_) {
    if (!message.empty()) message += '\n';
    if (shown++ == kShownGroups) {
      message += fmt::format("and {} problems more", groups_.size() - kShownGroups);
      break;
    }
    message += group;
    if (at.count > 0) message += ": " + ListSome(at.first, at.count);
    if (!at.advice.empty()) advice.insert(at.advice);
    options.insert(at.options.begin(), at.options.end());
  }
  std::string advices;
  for (const std::string& sentence : advice) {
    if (!advices.empty()) advices += '\n';
    advices += sentence;
  }
  throw Error(ErrorCode::kMismatch, message, advices, {options.begin(), options.end()});
}

}  // namespace weightsmith::internal
