#include "recipes/source/lookalike.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace weightsmith::internal {
namespace {

enum class Looks : std::uint8_t { kSpace, kNothing, kQuote, kColon, kComma };

struct Character {
  std::string_view bytes;  ///< UTF-8
  std::string_view name;
  Looks like = Looks::kSpace;
};

constexpr std::array kCharacters{
    Character{"\u00A0", "no-break space (U+00A0)", Looks::kSpace},
    Character{"\u2002", "en space (U+2002)", Looks::kSpace},
    Character{"\u2003", "em space (U+2003)", Looks::kSpace},
    Character{"\u2007", "figure space (U+2007)", Looks::kSpace},
    Character{"\u2009", "thin space (U+2009)", Looks::kSpace},
    Character{"\u202F", "narrow no-break space (U+202F)", Looks::kSpace},
    Character{"\u3000", "ideographic space (U+3000)", Looks::kSpace},
    Character{"\u00AD", "soft hyphen (U+00AD)", Looks::kNothing},
    Character{"\u200B", "zero-width space (U+200B)", Looks::kNothing},
    Character{"\u2060", "word joiner (U+2060)", Looks::kNothing},
    Character{"\uFEFF", "byte order mark (U+FEFF)", Looks::kNothing},
    Character{"\u2018", "typographic quote (U+2018)", Looks::kQuote},
    Character{"\u2019", "typographic quote (U+2019)", Looks::kQuote},
    Character{"\u201A", "typographic quote (U+201A)", Looks::kQuote},
    Character{"\u201C", "typographic quote (U+201C)", Looks::kQuote},
    Character{"\u201D", "typographic quote (U+201D)", Looks::kQuote},
    Character{"\u201E", "typographic quote (U+201E)", Looks::kQuote},
    Character{"\u00AB", "typographic quote (U+00AB)", Looks::kQuote},
    Character{"\u00BB", "typographic quote (U+00BB)", Looks::kQuote},
    Character{"\uFF1A", "fullwidth colon (U+FF1A)", Looks::kColon},
    Character{"\uFF0C", "fullwidth comma (U+FF0C)", Looks::kComma},
    Character{"\u3001", "ideographic comma (U+3001)", Looks::kComma},
};

/// The character of the table that `text` begins with; null for none.
const Character* AtFront(std::string_view text) {
  const auto found = std::ranges::find_if(
      kCharacters, [&](const Character& character) { return text.starts_with(character.bytes); });
  return found == kCharacters.end() ? nullptr : &*found;
}

/// The first character that `wanted(character, offset)` accepts.
template <class Wanted>
std::optional<std::size_t> FindCharacter(std::string_view text, Wanted&& wanted) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (static_cast<unsigned char>(text[at]) < 0x80) continue;
    const Character* character = AtFront(text.substr(at));
    if (character != nullptr && wanted(*character, at)) return at;
  }
  return std::nullopt;
}

/// What stands from the quote in front of `text` to the next one; empty where there is none.
std::string_view Quoted(std::string_view text) {
  text.remove_prefix(AtFront(text)->bytes.size());
  const auto end = FindCharacter(text, [](const Character& character, std::size_t) {
    return character.like == Looks::kQuote;
  });
  return text.substr(0, end.value_or(0));
}

Lookalike Report(std::string_view text, std::size_t at) {
  const Character& character = *AtFront(text.substr(at));
  Lookalike found{at, "", ""};
  switch (character.like) {
    case Looks::kSpace:
      found.message = fmt::format("a {} is not a space for YAML or JSON", character.name);
      found.advice = "Replace it, and others like it, by ordinary spaces.";
      break;
    case Looks::kNothing:
      found.message = fmt::format("there is an invisible character here, a {}", character.name);
      found.advice = "Delete it, or type the line again.";
      break;
    case Looks::kQuote: {
      const std::string_view quoted = Quoted(text.substr(at));
      found.message = fmt::format("a {} does not quote a text", character.name);
      found.advice = quoted.empty() ? "Write a straight quote: \""
                                    : fmt::format("Write \"{}\", in straight quotes.", quoted);
      break;
    }
    case Looks::kColon:
      found.message = fmt::format("a {} is not a colon for YAML or JSON", character.name);
      found.advice = "Write an ordinary colon, and a space behind it where a value follows.";
      break;
    case Looks::kComma:
      found.message = fmt::format("a {} is not a comma for YAML or JSON", character.name);
      found.advice = "Write an ordinary comma and a space.";
      break;
  }
  return found;
}

}  // namespace

std::optional<Lookalike> LookalikeInScalar(std::string_view scalar) {
  const auto at = FindCharacter(scalar, [&](const Character& character, std::size_t begin) {
    const bool last = begin + character.bytes.size() == scalar.size();
    const bool behind_colon = begin > 0 && scalar[begin - 1] == ':';
    if (character.like == Looks::kSpace) return begin == 0 || last || behind_colon;
    if (character.like == Looks::kColon || character.like == Looks::kComma) return false;
    return character.like == Looks::kNothing || begin == 0;
  });
  return at ? std::optional(Report(scalar, *at)) : std::nullopt;
}

std::optional<Lookalike> LookalikeInLine(std::string_view line) {
  const auto at = FindCharacter(line, [&](const Character&, std::size_t begin) {
    const std::string_view before = line.substr(0, begin);
    const bool comment = before.starts_with('#') || before.find(" #") != std::string_view::npos;
    return !comment && std::ranges::count(before, '"') % 2 == 0;
  });
  return at ? std::optional(Report(line, *at)) : std::nullopt;
}

}  // namespace weightsmith::internal
