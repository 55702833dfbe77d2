#include "core/base/matcher_set.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

constexpr std::int64_t kMostMemory = 64 << 20;

re2::RE2::Options SetOptions() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kMostMemory);
  return options;
}

}  // namespace

struct MatcherSet::State {
  re2::RE2::Set set{SetOptions(), re2::RE2::ANCHOR_BOTH};
  std::size_t count = 0;
};

MatcherSet::MatcherSet() : state_(std::make_unique<State>()) {}
MatcherSet::~MatcherSet() = default;
MatcherSet::MatcherSet(MatcherSet&&) noexcept = default;
MatcherSet& MatcherSet::operator=(MatcherSet&&) noexcept = default;

bool MatcherSet::Add(std::string_view prefix, std::string_view pattern, std::string& problem) {
  // Alone first: "a)|(b" is an expression in parentheses only.
  if (!Matcher::Compile(pattern, problem)) return false;
  const std::string whole = fmt::format("{}(?:{})", prefix, pattern);
  if (state_->set.Add(whole, &problem) < 0) return false;
  ++state_->count;
  return true;
}

bool MatcherSet::Finish() {
  return state_->count == 0 || state_->set.Compile();
}

std::optional<std::size_t> MatcherSet::FirstMatch(std::string_view text) const {
  if (state_->count == 0) return std::nullopt;
  std::vector<int> matches;
  re2::RE2::Set::ErrorInfo info{};
  const re2::StringPiece piece(text.data(), text.size());
  if (state_->set.Match(piece, &matches, &info)) {
    return static_cast<std::size_t>(*std::ranges::min_element(matches));
  }
  if (info.kind == re2::RE2::Set::kNoError) return std::nullopt;
  throw Error(ErrorCode::kInput,
              fmt::format("{} regular expressions take more than {} MiB to match", state_->count,
                          kMostMemory >> 20));
}

}  // namespace weightsmith::internal
