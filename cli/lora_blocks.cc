#include "cli/lora_blocks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <vector>

#include "cli/alpha_words.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "recipes/presets.h"

namespace weightsmith::internal {
namespace {

/// The numbers of "[1, 0.5, …]".
std::vector<double> NumbersOf(std::string_view list) {
  std::vector<double> numbers;
  list = list.substr(1, list.size() - 2);
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    const auto number = ParseNumber(Trim(list.substr(0, end)));
    if (!number) {
      throw Error(
          ErrorCode::kUsage,
          fmt::format("--lora-blocks: {} is not a number.", Quote(Trim(list.substr(0, end)), 80)),
          "Random weights and ranges of sampling steps cannot be baked.");
    }
    numbers.push_back(*number);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return numbers;
}

std::string Scaled(std::vector<double> numbers, double strength, double text_strength) {
  // FLUX.1's lists begin with two text encoders, the others with one.
  const std::size_t encoders = numbers.size() == 61 ? 2 : 1;
  std::vector<std::string> words;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    words.push_back(FormatNumber(numbers[i] * (i < encoders ? text_strength : strength)));
  }
  return fmt::format("[{}]", fmt::join(words, ", "));
}

}  // namespace

std::string StrengthText(const std::string& blocks, double strength, double text_strength) {
  if (blocks.empty()) {
    if (strength == text_strength) return FormatNumber(strength);
    return fmt::format("{{default: {}, te: {}}}", FormatNumber(strength),
                       FormatNumber(text_strength));
  }
  std::error_code ignored;
  const bool file = std::filesystem::is_regular_file(blocks, ignored);
  const std::string words = AlphaText(file ? "@" + blocks : blocks);
  if (words.starts_with('[')) return Scaled(NumbersOf(words), strength, text_strength);
  const auto preset = ShippedAdapterPresets().find(words);
  if (strength == 1 && text_strength == 1) return words;
  if (preset != ShippedAdapterPresets().end() && strength != text_strength) {
    return Scaled(preset->second, strength, text_strength);
  }
  if (!words.starts_with('{') && strength == text_strength) {
    return fmt::format("{{preset: {}, scale: {}}}", words, FormatNumber(strength));
  }
  throw Error(
      ErrorCode::kUsage,
      "--lora-blocks has rows of places and cannot be combined with a strength after the file.",
      "Write the strengths into the rows.");
}

}  // namespace weightsmith::internal
