#include "recipes/source/yaml_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "recipes/source/lines.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kYamlSpace = " \t\r";
constexpr std::string_view kReserved = "*@`%";

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

bool IsName(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsNameCharacter);
}

/// Whether the text has a key of this name.
bool HasKey(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    const bool front = at == 0 || !IsNameCharacter(text[at - 1]);
    const std::string_view rest = text.substr(at + name.size());
    if (front && rest.starts_with(':')) return true;
  }
  return false;
}

/// Whether the table 'vars' has this name.
bool IsVariable(std::string_view text, std::string_view name) {
  for (std::size_t line = 0; line != std::string_view::npos; line = NextLine(text, line)) {
    if (!LineAt(text, line).starts_with("vars:")) continue;
    std::size_t end = NextLine(text, line);
    while (end != std::string_view::npos &&
           (IsBlankLine(LineAt(text, end)) || IndentOf(LineAt(text, end)) > 0)) {
      end = NextLine(text, end);
    }
    return HasKey(text.substr(line + 5, end == std::string_view::npos ? end : end - line - 5),
                  name);
  }
  return false;
}

/// `text` as it is written in double quotes.
std::string InQuotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

/// The letters of a pattern of file names, "*attn*": "attn".
std::string WithoutStars(std::string_view text) {
  std::string letters(text);
  std::erase(letters, '*');
  return letters;
}

class YamlScan {
 public:
  YamlScan(std::string_view text, std::size_t begin, std::size_t end)
      : text_(text), at_(begin), end_(std::min(end, text.size())) {}

  std::optional<YamlProblem> Run() {
    while (at_ < end_ && !problem_) Step();
    return std::move(problem_);
  }

 private:
  /// What is open: a bracket, and how much of its present entry was read.
  struct Level {
    char bracket;
    std::size_t indent;  ///< of the line with the bracket
    bool colon = false;
    std::size_t key = 0;  ///< where the entry begins
  };

  void Fail(std::size_t offset, std::string message, std::string advice) {
    problem_ = YamlProblem{offset, std::move(message), std::move(advice)};
  }

  bool flow() const { return !levels_.empty(); }
  std::string_view Rest() const { return text_.substr(at_, end_ - at_); }

  void Step() {
    const char c = text_[at_];
    if (c == '\n') {
      ++at_;
      if (!flow()) fresh_ = true;
      return;
    }
    if (kYamlSpace.find(c) != std::string_view::npos) {
      ++at_;
      return;
    }
    const bool behind_space = at_ == 0 || std::isspace(static_cast<unsigned char>(text_[at_ - 1]));
    if (c == '#' && behind_space) {
      at_ = std::min(text_.find('\n', at_), end_);
      return;
    }
    if (c == ']' || c == '}') return CloseBracket();
    if (flow() && c == ',') {
      ++at_;
      fresh_ = true;
      levels_.back().colon = false;
      levels_.back().key = 0;
      return;
    }
    if (c == ':' && IsColon(at_)) return Colon();
    if (!fresh_) return Behind();
    if (flow() && levels_.back().key == 0) levels_.back().key = at_;
    if (c == '"' || c == '\'') return SkipQuoted(c);
    if (c == '{' || c == '[') return OpenBracket();
    if (!flow() && c == '-' && (at_ + 1 == end_ || text_[at_ + 1] == ' ')) {
      ++at_;
      return;
    }
    if (c == '&' || c == '!') return SkipProperty();
    if (kReserved.find(c) != std::string_view::npos && Reserved()) return;
    Plain();
  }

  bool IsColon(std::size_t at) const {
    const std::string_view ends = flow() ? " \t\r\n,}]" : " \t\r\n";
    return at + 1 >= text_.size() || ends.find(text_[at + 1]) != std::string_view::npos;
  }

  void Colon() {
    ++at_;
    fresh_ = true;
    if (flow()) levels_.back().colon = true;
  }

  void SkipProperty() { at_ = std::min(text_.find_first_of(" \t\r\n,]}", at_), end_); }

  void SkipQuoted(char quote) {
    for (++at_; at_ < end_; ++at_) {
      if (quote == '"' && text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == quote) {
        if (quote == '"' || text_.substr(at_ + 1, 1) != "'") break;
        ++at_;
      }
    }
    at_ = std::min(at_ + 1, end_);
    fresh_ = false;
  }

  void CloseBracket() {
    if (!flow()) {
      if (!fresh_) {
        Fail(at_, fmt::format("this {} closes no bracket", text_[at_]),
             fmt::format("Remove this {}", text_[at_]));
      }
      ++at_;
      return;
    }
    levels_.pop_back();
    ++at_;
    fresh_ = false;
  }

  void OpenBracket() {
    if (text_[at_] == '{' && Braced(at_)) return;
    const std::size_t line = LineStart(text_, at_);
    levels_.push_back({text_[at_], IndentOf(LineAt(text_, line))});
    ++at_;
    fresh_ = true;
  }

  /// A text with {name} in it, from `begin`, that YAML takes for a mapping.
  bool Braced(std::size_t begin) {
    const std::size_t open = text_.find('{', begin);
    const std::size_t close = text_.find('}', open);
    if (close == std::string_view::npos) return false;
    const std::string_view name = text_.substr(open + 1, close - open - 1);
    if (!IsName(name)) return false;
    std::size_t stop = std::min(text_.find_first_of(flow() ? ",\n" : "\n", close), text_.size());
    int depth = 0;  // of more {names} in the text
    for (std::size_t at = close + 1; at < stop; ++at) {
      if (text_[at] == '{') ++depth;
      if ((text_[at] == '}' && depth-- == 0) || text_[at] == ' ') stop = at;
    }
    const std::string_view word = Trim(text_.substr(begin, stop - begin));
    if (word.empty() || word == fmt::format("{{{}}}", name)) return false;
    std::string quoted(word);
    if (word.starts_with("${") && !IsVariable(text_, name)) {
      Fail(begin, fmt::format("the {{ in {} begins a mapping", Quote(word, 60)),
           word == fmt::format("${{{}}}", name)
               ? fmt::format("Write ${0}, and declare it at the top: vars: {{{0}: 0.5}}", name)
               : "A recipe does not read variables of the shell: write the folder that it stands "
                 "for.");
      return true;
    }
    if (const std::size_t dollar = quoted.find("${"); dollar != std::string::npos) {
      quoted.erase(dollar, 1);
    }
    const bool alone = word == fmt::format("${{{}}}", name);
    std::string advice =
        alone ? fmt::format("Write ${}", name) : fmt::format("Write {}", InQuotes(quoted));
    if (!IsVariable(text_, name)) {
      advice += fmt::format(", and declare the variable at the top: vars: {{{}: v1}}", name);
    }
    Fail(begin,
         fmt::format("the {{ in {} begins a mapping, unless quotes stand around it",
                     Quote(word, 60)),
         std::move(advice));
    return true;
  }

  /// A word that begins with a character that YAML keeps for itself.
  bool Reserved() {
    const char c = text_[at_];
    std::size_t stop = at_ + 1;
    while (stop < end_ && text_[stop] != '\n' && !(text_[stop] == ':' && IsColon(stop)) &&
           (!flow() || std::string_view(",}]").find(text_[stop]) == std::string_view::npos) &&
           text_.substr(stop, 2) != " #") {
      ++stop;
    }
    const std::string_view word = Trim(text_.substr(at_, stop - at_));
    const bool key = stop < end_ && text_[stop] == ':';
    const std::string_view value =
        key ? Trim(text_.substr(stop + 1, text_.find_first_of(",}\n", stop) - stop - 1)) : "";
    if (c == '*') {
      const std::string anchor = fmt::format("&{}", word.substr(1));
      if (!key && text_.find(anchor) != std::string_view::npos) return false;
      Star(word, key, value);
      return true;
    }
    if (c == '%') {
      Fail(at_, "a % in front is a sign of YAML, and a text that begins with it needs quotes",
           word.find('%', 1) == std::string_view::npos
               ? fmt::format("Write {}", InQuotes(word))
               : "A recipe does not read variables of the shell: write the folder that it stands "
                 "for.");
      return true;
    }
    std::string inside(word.substr(1));
    if (c == '`' && inside.ends_with('`')) inside.pop_back();
    Fail(at_,
         fmt::format("no text begins with {} in YAML, unless quotes stand around it",
                     c == '`' ? "a `" : "an @"),
         HasKey(text_, inside) && !key ? fmt::format("Write {}", inside)
         : c == '`'
             ? fmt::format("Write {}", InQuotes(inside))
             : fmt::format("Write {}, or {} where the @ is part of it", inside, InQuotes(word)));
    return true;
  }

  void Star(std::string_view word, bool key, std::string_view value) {
    const std::string letters = WithoutStars(word);
    if (key && letters.empty()) {
      const std::string_view before = text_.substr(LineStart(text_, at_), at_);
      const std::string_view line = before.substr(0, at_ - LineStart(text_, at_));
      const bool has = line.find("default:") != std::string_view::npos;
      Fail(at_, "a * in front is a sign of YAML, and no place is called *",
           has ? "Remove this entry: 'default' is the value of all other places."
               : fmt::format("Write default: {}", value));
      return;
    }
    if (key) {
      Fail(at_, "a * in front is a sign of YAML, and places are not patterns of file names",
           fmt::format("Write \"/{}/\": {}, a regular expression in quotes", letters, value));
      return;
    }
    const std::string name(word.substr(1));
    if (name.find_first_of("./") != std::string::npos) {
      Fail(at_, "a * in front is a sign of YAML, and names of files are not patterns",
           "Write the name of one file, such as a.safetensors");
      return;
    }
    Fail(at_,
         fmt::format("a * in front makes this an alias of YAML, and nothing is marked &{}", name),
         IsVariable(text_, name) ? fmt::format("Write ${}", name)
         : HasKey(text_, name)   ? fmt::format("Write {}", name)
         : IsName(name)
             ? fmt::format("Write ${0}, and declare it at the top: vars: {{{0}: 0.5}}", name)
             : fmt::format("Write {}", InQuotes(word)));
  }

  /// A plain scalar, up to what ends it on this line.
  void Plain() {
    const std::size_t begin = at_;
    while (at_ < end_ && text_[at_] != '\n') {
      const char c = text_[at_];
      if (c == ':' && IsColon(at_)) break;
      if (c == '#' && at_ > begin && text_[at_ - 1] == ' ') break;
      if (flow() && std::string_view(",[]{}").find(c) != std::string_view::npos) break;
      ++at_;
    }
    fresh_ = false;
    if (at_ >= end_) return;
    if (flow() && text_[at_] == '{') {
      std::size_t word = at_;
      while (word > begin && text_[word - 1] != ' ') --word;
      if (word < at_ && Braced(word)) return;
    }
    if (text_[at_] == ':') MissingComma(begin);
  }

  /// What stands behind a finished value within brackets.
  void Behind() {
    const std::size_t begin = at_;
    if (!flow()) {
      Plain();
      return;
    }
    std::size_t line = at_;
    while (line > 0 && kYamlSpace.find(text_[line - 1]) != std::string_view::npos) --line;
    const bool first = line == 0 || text_[line - 1] == '\n';
    if (first && IndentOf(LineAt(text_, line)) <= levels_.back().indent) {
      at_ = end_;  // the bracket is not closed at all
      return;
    }
    const char c = text_[at_];
    if (c == '"' || c == '\'' || c == '{' || c == '[') {
      const std::size_t before = text_.find_last_not_of(" \t\r\n", at_ - 1);
      if (std::string_view("\"'}]").find(text_[before]) != std::string_view::npos) {
        Fail(at_, "a comma is missing in front of this",
             "Write a comma behind the entry before it.");
      } else {
        ++at_;
      }
      return;
    }
    Plain();
    if (!problem_ && at_ == begin) ++at_;
  }

  /// Where a colon follows: a second one in an entry begins another entry.
  void MissingComma(std::size_t begin) {
    if (!flow() || levels_.back().bracket != '{' || !levels_.back().colon) return;
    std::size_t word = at_;
    while (word > begin && text_[word - 1] != ' ') --word;
    const std::string_view name = text_.substr(word, at_ - word);
    const std::size_t before = text_.find_last_not_of(" \t\r\n", word - 1);
    if (!IsName(name) || text_[before] == ':') return;
    std::string_view entry =
        Trim(text_.substr(levels_.back().key, before + 1 - levels_.back().key));
    if (entry.ends_with('.') || entry.ends_with(';')) entry.remove_suffix(1);
    Fail(word, fmt::format("a comma is missing in front of {}", Quote(name)),
         fmt::format("Write {}, {}:", entry, name));
  }

  std::string_view text_;
  std::size_t at_;
  std::size_t end_;
  bool fresh_ = true;  ///< a key or a value may begin here
  std::vector<Level> levels_;
  std::optional<YamlProblem> problem_;
};

}  // namespace

std::optional<YamlProblem> ScanMarks(std::string_view text, std::size_t begin, std::size_t end) {
  return YamlScan(text, begin, end).Run();
}

}  // namespace weightsmith::internal
