#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/visible.h"

namespace weightsmith::internal {
namespace {

// Upper and lower case, hyphens and underscores are no difference between names.
std::string Fold(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return folded;
}

// The least number of insertions, deletions, replacements and swaps of neighbours.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = std::exchange(last, row);
  }
  return last[b.size()];
}

// The factor that a unit stands for; nothing for an unknown one.
std::optional<std::uint64_t> UnitFactor(std::string_view unit) {
  const std::string folded = Fold(unit);
  if (folded.empty() || folded == "b") return 1;
  const std::size_t power = std::string_view("kmgt").find(folded[0]) + 1;
  const std::string_view rest = std::string_view(folded).substr(1);
  const bool binary = rest == "i" || rest == "ib";
  if (power == 0 || !(binary || rest.empty() || rest == "b")) return std::nullopt;
  std::uint64_t factor = 1;
  for (std::size_t i = 0; i < power; ++i) factor *= binary ? 1024 : 1000;
  return factor;
}

}  // namespace

std::string Quote(std::string_view text, std::size_t limit) {
  const std::size_t shown = WholeCharacters(text, limit);
  return fmt::format("'{}{}'", Visible(text.substr(0, shown)), shown < text.size() ? "…" : "");
}

std::string FormatBytes(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  constexpr std::string_view kUnits[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  double value = static_cast<double>(bytes) / 1000;
  while (value >= 999.5) {
    value /= 1000;
    ++unit;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", value, decimals, kUnits[unit]);
}

std::string FormatCount(std::uint64_t count) {
  std::string text = fmt::format("{}", count);
  for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, 1, ',');
  return text;
}

std::string FormatNumber(double value) {
  return fmt::format("{}", value);
}

std::optional<std::uint64_t> ParseBytes(std::string_view text) {
  std::size_t digits = text.find_first_not_of("0123456789.");
  if (digits == std::string_view::npos) digits = text.size();
  const std::string_view number = text.substr(0, digits);
  std::string_view unit = text.substr(digits);
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  const std::optional<std::uint64_t> factor = UnitFactor(unit);
  if (!factor) return std::nullopt;

  std::uint64_t whole = 0;
  const char* const end = number.data() + number.size();
  if (const auto [stop, error] = std::from_chars(number.data(), end, whole);
      error == std::errc() && stop == end) {
    if (__builtin_mul_overflow(whole, *factor, &whole)) return std::nullopt;
    return whole;
  }
  const std::optional<double> value = ParseNumber(number);
  const double bytes = value.value_or(-1) * static_cast<double>(*factor);
  if (bytes < 0 || bytes >= 0x1p64) return std::nullopt;
  return static_cast<std::uint64_t>(std::round(bytes));
}

std::optional<double> ParseNumber(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::string> NearestName(std::string_view name, std::span<const std::string> known) {
  const std::string folded = Fold(name);
  // One slip in three letters; replacing every letter is not a slip.
  std::size_t nearest = (folded.size() + 2) / 3 + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : known) {
    const std::size_t distance = EditDistance(folded, Fold(candidate));
    if (distance >= std::max(folded.size(), candidate.size())) continue;
    // Of names that are as near, one that begins so: a letter is left out more often than put in.
    const bool begins = found && distance == nearest && Fold(candidate).starts_with(folded) &&
                        !Fold(*found).starts_with(folded);
    if (distance < nearest || begins) {
      nearest = distance;
      found = candidate;
    }
  }
  if (found) return found;
  // The start of one name is an abbreviation of it.
  constexpr std::size_t kShortest = 3;
  for (const std::string& candidate : known) {
    if (folded.size() < kShortest || !Fold(candidate).starts_with(folded)) continue;
    if (found) return std::nullopt;
    found = candidate;
  }
  return found;
}

std::string DidYouMean(std::string_view name, std::span<const std::string> known) {
  const std::optional<std::string> nearest = NearestName(name, known);
  return nearest ? fmt::format(" Did you mean {}?", Quote(*nearest)) : std::string();
}

std::string Lowercase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace weightsmith::internal
