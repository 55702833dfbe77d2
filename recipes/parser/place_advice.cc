#include "recipes/parser/place_advice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "merge/expression/list_words.h"
#include "merge/expression/places.h"
#include "recipes/parser/advice.h"
#include "recipes/source/writer.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

bool IsPlace(std::string_view text) {
  std::string problem;
  return Selector::Parse(text, problem).has_value();
}

/// What a key below the row `row` is by itself: "unet.in" of "encoder" below "unet", "IN03" of "3"
/// below "input_blocks".
std::string PlaceBelow(std::string_view row, std::string key) {
  constexpr std::pair<std::string_view, std::string_view> kUnet[] = {
      {"encoder", "in"}, {"decoder", "out"}, {"middle", "mid"}, {"input", "in"}, {"output", "out"}};
  const auto* const meant =
      std::ranges::find(kUnet, key, [](const auto& word) { return word.first; });
  if (row == "unet" && meant != std::end(kUnet)) key = meant->second;
  const std::string dotted = fmt::format("{}.{}", row, key);
  if (std::string block = MeantBlock(dotted); !block.empty()) return block;
  return IsPlace(dotted) ? dotted : key;
}

/// The place that all of a row is: what stands below it as "default".
std::string PlaceOfRow(std::string_view row, bool has_default) {
  if (IsPlace(row)) return std::string(row);
  if (auto component = ComponentMeant(row)) return *component;
  return has_default ? "unet" : "default";
}

void AddRows(const std::string& row, const SourceNode& inner, bool has_default,
             std::vector<std::string>& rows) {
  for (std::size_t i = 0; i < inner.keys.size(); ++i) {
    const std::string& key = inner.keys[i].text;
    const SourceNode& value = inner.items[i];
    const bool whole = key == "default" || key == row;
    if (!whole && HoldsRows(key, value)) {
      AddRows(key, value, has_default, rows);
      continue;
    }
    rows.push_back(fmt::format("{}: {}",
                               whole ? PlaceOfRow(row, has_default) : PlaceBelow(row, key),
                               FlowText(value, 60)));
  }
}

/// "IN00 to IN11" of a row such as "IN12: 0.5", which no list of blocks has; empty where no row
/// counts too far.
std::string TooFar(const std::vector<std::string>& rows) {
  for (const std::string& row : rows) {
    std::string problem;
    const auto selector = Selector::Parse(row.substr(0, row.find(": ")), problem);
    const auto block = selector ? selector->OneBlock() : std::nullopt;
    if (!block) continue;
    const std::string_view letters = CommunityLetters(block->first);
    const std::uint32_t last = LastListed(letters).value_or(0);
    if (last == 0 || block->second <= last) continue;
    return fmt::format("{0}00 to {0}{1:02}", letters, last);
  }
  return {};
}

}  // namespace

std::string PlaceAdvice(const SourceNode& key) {
  const std::size_t colon = std::min(key.text.find(':'), key.text.size());
  const std::string place = key.text.substr(0, colon);
  if (const auto component = ComponentMeant(place)) {
    const bool encoder = *component == "te1";
    return fmt::format("Write {}{}{}", *component, key.text.substr(colon),
                       encoder ? ", or te for all text encoders" : "");
  }
  if (std::ranges::count(place, '.') >= 2) {
    std::string pattern;
    for (const char c : place) pattern += c == '.' ? std::string("\\\\.") : std::string(1, c);
    return fmt::format("A part of a tensor's name is written as a regular expression: \"/{}/\"",
                       pattern);
  }
  const std::size_t dash = place.find('-');
  if (dash != std::string::npos) {
    const std::string swapped = fmt::format("{}-{}", place.substr(dash + 1), place.substr(0, dash));
    std::string problem;
    if (Selector::Parse(swapped, problem)) {
      return fmt::format("A range goes from the lower block to the higher: {}", swapped);
    }
  }
  std::string word;  // of "*attn*"
  for (const char c : place) {
    if (c != '*') word += c;
  }
  const auto letter = [](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; };
  if (word.empty() || !std::ranges::all_of(word, letter)) word = "attn";
  return fmt::format(
      "Places are default, {}, and blocks ({}), te.layer.0, vae.encoder, vae.decoder. A part of a "
      "tensor's name is a regular expression: \"/{}/\"",
      fmt::join(ComponentWords(), ", "), ListedBlocksInWords(), word);
}

std::string RegexAdvice(std::string_view row) {
  // Look-around says where something is not; rows of different ranks do so too.
  const std::size_t look = row.find("(?!");
  if (look == std::string_view::npos) return {};
  std::string_view inside = row.substr(look + 3);
  inside = inside.substr(0, inside.find(')'));
  while (inside.starts_with(".*")) inside.remove_prefix(2);
  return fmt::format(
      "Turn it around: write \"/{}/\" with the other value, and this value as "
      "default.",
      inside);
}

bool HoldsRows(std::string_view row, const SourceNode& value) {
  return value.map() && std::ranges::any_of(value.keys, [&](const SourceNode& key) {
           return IsPlace(key.text) || IsPlace(PlaceBelow(row, key.text));
         });
}

std::string NestedRowsAdvice(const SourceNode& map, std::string_view row, const SourceNode& value) {
  std::vector<std::string> rows;
  AddRows(std::string(row), value, map.Find("default") != nullptr, rows);
  std::string advice = fmt::format("Write rows of their own: {}", fmt::join(rows, ", "));
  if (const std::string known = TooFar(rows); !known.empty()) {
    advice += fmt::format("\nBlocks are counted from 0: {}.", known);
  }
  return advice;
}

}  // namespace weightsmith::internal
