#include "cli/operator_search.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

/// Words of like meaning, a line each.
constexpr std::string_view kAlike[] = {
    "style look aesthetic appearance",
    "blend mix interpolate crossfade",
    "combine merge join fuse unite",
    "soup average mean",
    "restore repair fix recover correct",
    "transfer graft port transplant",
    "colour color saturation oversaturated",
    "detail details sharpness texture",
    "composition layout structure",
    "adapter lora locon lycoris dora",
    "language llm chat instruct",
    "task skill ability capability",
    "conflict interference clash",
    "strengthen amplify boost increase stronger",
    "weaken reduce attenuate decrease weaker",
    "negate unlearn forget remove",
    "limit clip clamp bound",
    "noise random seed",
    "sparse prune drop dropout mask",
    "rank svd spectrum singular subspace",
    "align permute rebasin permutation match",
    "stack frankenmerge passthrough layers depth",
    "inpainting inpaint outpainting",
    "turbo lightning lcm distilled hyper",
    "convert rename copy",
    "contrast washed flat",
    "robust median outlier",
};

/// Words that say nothing of a purpose.
constexpr std::string_view kIdle[] = {
    "a",    "all",  "an",   "and",  "another", "as",    "at",     "by",   "can",   "do",   "each",
    "for",  "from", "how",  "i",    "in",      "into",  "is",     "it",   "its",   "me",   "model",
    "my",   "of",   "on",   "one",  "or",      "other", "others", "out",  "so",    "that", "the",
    "them", "then", "they", "this", "to",      "two",   "want",   "what", "where", "with", "you",
};

bool EndsIn(std::string_view word, std::string_view suffix, std::size_t least) {
  return word.size() >= suffix.size() + least && word.ends_with(suffix);
}

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : Lowercase(text)) {
    if (c == '-') continue;  // "fine-tune" is one word
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (letter) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  std::erase_if(words, [](const std::string& word) {
    return std::ranges::find(kIdle, std::string_view(word)) != std::end(kIdle);
  });
  return words;
}

/// The stem of a word, or of the first of those that mean the same.
std::string MeaningOf(std::string_view word) {
  static const std::map<std::string, std::string> kMeanings = [] {
    std::map<std::string, std::string> meanings;
    for (const std::string_view line : kAlike) {
      const std::vector<std::string> words = WordsOf(line);
      for (const std::string& each : words) meanings.emplace(StemOf(each), StemOf(words.front()));
    }
    return meanings;
  }();
  const std::string stem = StemOf(word);
  const auto found = kMeanings.find(stem);
  return found == kMeanings.end() ? stem : found->second;
}

/// What is compared: the words as they stand, by their stems, and what they mean.
struct Phrase {
  std::set<std::string> stems;
  std::set<std::string> meanings;

  explicit Phrase(std::string_view text) {
    for (const std::string& word : WordsOf(text)) {
      stems.insert(StemOf(word));
      meanings.insert(MeaningOf(word));
    }
  }
};

/// How a question fits an operator, the best last.
enum class Fit : std::uint8_t {
  kSomeWords,
  kAllMeanings,  ///< one use and the name together mean all of it
  kAllWords,     ///< they have its words
  kItsWords,     ///< a use, or the name, has its words and no others
};

/// An operator as the search sees it.
struct Entry {
  const Operator* op;
  Phrase name;
  std::vector<Phrase> uses;
  Phrase summary;

  explicit Entry(const Operator& described)
      : op(&described), name(described.name), summary(described.summary) {
    for (const std::string_view use : described.uses) uses.emplace_back(use);
  }

  /// How much a word means to it: most in a name.
  double Weight(const std::string& meaning) const {
    if (name.meanings.contains(meaning)) return 6;
    const auto has = [&](const Phrase& use) { return use.meanings.contains(meaning); };
    if (std::ranges::any_of(uses, has)) return 3;
    return summary.meanings.contains(meaning) ? 2 : 0;
  }

  /// The most words of the question that one use has.
  std::size_t MostInOneUse(const Phrase& question) const {
    std::size_t most = 0;
    for (const Phrase& use : uses) {
      const auto has = [&](const std::string& meaning) { return use.meanings.contains(meaning); };
      most = std::max<std::size_t>(
          most, static_cast<std::size_t>(std::ranges::count_if(question.meanings, has)));
    }
    return most;
  }

  Fit FitOf(const Phrase& question) const {
    if (name.stems == question.stems) return Fit::kItsWords;
    Fit best = Fit::kSomeWords;
    for (const Phrase& use : uses) {
      const auto all_in = [&](std::set<std::string> Phrase::*words) {
        return std::ranges::all_of(question.*words, [&](const std::string& word) {
          return (use.*words).contains(word) || (name.*words).contains(word);
        });
      };
      if (use.stems == question.stems) return Fit::kItsWords;
      if (all_in(&Phrase::stems)) {
        best = Fit::kAllWords;
      } else if (all_in(&Phrase::meanings)) {
        best = std::max(best, Fit::kAllMeanings);
      }
    }
    return best;
  }
};

std::vector<Entry> Entries() {
  std::vector<Entry> entries;
  for (const Operator* op : Operators()) entries.emplace_back(*op);
  return entries;
}

/// An operator that was found.
struct Match {
  const Operator* op;
  Fit fit;
  double score;
};

}  // namespace

std::string StemOf(std::string_view word) {
  constexpr std::string_view kStaysDouble = "lsz";
  std::string stem(word);
  if (EndsIn(stem, "ies", 2)) return stem.substr(0, stem.size() - 3) + "y";
  if (EndsIn(stem, "s", 3) && !stem.ends_with("ss") && !stem.ends_with("us")) stem.pop_back();
  for (const std::string_view suffix : {"ing", "ed"}) {
    if (!EndsIn(stem, suffix, 3)) continue;
    stem.resize(stem.size() - suffix.size());
    const char last = stem.back();
    const bool doubled = stem[stem.size() - 2] == last;
    if (doubled && kStaysDouble.find(last) == std::string_view::npos) stem.pop_back();
    break;
  }
  if (EndsIn(stem, "e", 3)) stem.pop_back();
  return stem;
}

std::vector<const Operator*> OperatorsLike(std::string_view words) {
  const Phrase question(words);
  const std::vector<Entry> entries = Entries();
  const auto all = static_cast<double>(entries.size());
  std::map<std::string, double> rarity;
  for (const std::string& meaning : question.meanings) {
    const auto having = static_cast<double>(std::ranges::count_if(
        entries, [&](const Entry& entry) { return entry.Weight(meaning) > 0; }));
    rarity[meaning] = 2 - having / all;
  }
  std::vector<Match> matches;
  double most = 0;
  for (const Entry& entry : entries) {
    double score = 0;
    for (const auto& [meaning, weight] : rarity) score += weight * entry.Weight(meaning);
    if (score == 0) continue;
    // Words of one purpose together are worth more than the same ones here and there.
    score += 2.0 * static_cast<double>(entry.MostInOneUse(question));
    matches.push_back({entry.op, entry.FitOf(question), score});
    most = std::max(most, score);
  }
  std::erase_if(matches, [&](const Match& match) {
    return match.fit < Fit::kAllWords && 2 * match.score < most;
  });
  std::ranges::stable_sort(matches, std::greater<>(),
                           [](const Match& match) { return std::pair(match.fit, match.score); });
  std::vector<const Operator*> found;
  for (const Match& match : matches) found.push_back(match.op);
  return found;
}

std::vector<std::string> WordsOfOperators() {
  std::set<std::string> words;
  const auto add = [&](std::string_view text) {
    for (std::string& word : WordsOf(text)) {
      if (word.size() > 3) words.insert(std::move(word));
    }
  };
  for (const Operator* op : Operators()) {
    add(op->name);
    add(op->summary);
    for (const std::string_view use : op->uses) add(use);
  }
  for (const std::string_view line : kAlike) add(line);
  return {words.begin(), words.end()};
}

}  // namespace weightsmith::internal
