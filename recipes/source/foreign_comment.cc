#include "recipes/source/foreign_comment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "core/base/text.h"
#include "recipes/source/lines.h"

namespace weightsmith::internal {
namespace {

/// Lines that are reported together.
constexpr std::size_t kMostLines = 20;
/// Places of a line that are looked at: each costs a look at the line.
constexpr int kMostPlaces = 20;
/// The longest line that is shown as it should be.
constexpr std::size_t kLongest = 200;
/// Behind these a value begins.
constexpr std::string_view kFronts = ":-[{,";

bool IsSpace(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool BehindFront(std::string_view words) {
  const std::size_t last = words.find_last_not_of(" \t");
  return last == std::string_view::npos || kFronts.find(words[last]) != std::string_view::npos;
}

/// Whether a comment begins with `rest`; `words` stand in front of it in the line.
bool BeginsComment(std::string_view words, std::string_view rest) {
  const bool block = rest.starts_with("/*");
  if (!block && !rest.starts_with("//")) return false;
  const char next = rest.size() > 2 ? rest[2] : ' ';
  if (!words.empty() && !IsSpace(words.back())) {
    return !block && rest.size() > 2 && IsSpace(next) && words.back() != ':' && words.back() != '/';
  }
  if (rest.size() > 2 && IsSpace(next)) return true;
  // //server/share is a path where a value begins, and // by itself a regular expression.
  const bool word = block || IsSpace(next) || std::isalnum(static_cast<unsigned char>(next)) != 0;
  return word && (Trim(words).empty() || !BehindFront(words));
}

/// A line, and the comments that were taken out of it.
struct Line {
  std::string words;
  std::vector<std::string> comments;
  std::optional<std::size_t> first;  ///< where the first one begins that is no comment of YAML
  std::string_view mark;
  int places = 0;           ///< where one could begin
  bool ends_later = false;  ///< a comment that has further lines
};

class CommentScan {
 public:
  explicit CommentScan(std::string_view text) : text_(text) {}

  std::vector<YamlProblem> Run() {
    std::vector<YamlProblem> problems;
    while (at_ < text_.size() && problems.size() < kMostLines) {
      const std::string_view whole = LineAt(text_, at_);
      const bool inside = Trim(whole).empty() || IndentOf(whole) > indent_;
      if (!inside) region_ = Region::kNone;
      if (region_ == Region::kText) {
        at_ = End() + 1;
        continue;
      }
      const Line line = ReadLine();
      if (line.first) problems.push_back(AsProblem(line));
      if (region_ == Region::kNone) EnterRegion(line);
    }
    return problems;
  }

 private:
  /// What the lines below one are that are indented more.
  enum class Region { kNone, kText, kVariables };

  std::size_t End() const { return std::min(text_.find('\n', at_), text_.size()); }

  void EnterRegion(const Line& line) {
    const std::string_view words = Trim(line.words);
    indent_ = IndentOf(line.words);
    const std::string_view value = Trim(words.substr(words.rfind(':') + 1));
    const bool metadata = words.ends_with("metadata:") || words.ends_with("metadata: {");
    if (metadata || value.starts_with('|') || value.starts_with('>')) {
      region_ = Region::kText;
    } else if (words == "vars:") {
      region_ = Region::kVariables;
    }
  }

  Line ReadLine() {
    Line line;
    std::size_t end = End();
    while (at_ < text_.size() && text_[at_] != '\n') {
      const char c = text_[at_];
      if (at_ > end) end = End();  // behind a text of several lines
      const std::string_view rest = text_.substr(at_, end - at_);
      if (c == '#' && (line.words.empty() || IsSpace(line.words.back()))) {
        line.comments.emplace_back(Trim(rest.substr(1)));
        at_ = End();
      } else if (c == '/' && IsComment(line, rest)) {
        TakeComment(line, rest);
      } else if ((c == '"' || c == '\'') && BehindFront(line.words)) {
        TakeQuoted(line);
      } else {
        line.words += c;
        ++at_;
      }
    }
    ++at_;
    return line;
  }

  bool IsComment(Line& line, std::string_view rest) const {
    if (line.places == kMostPlaces || !BeginsComment(line.words, rest)) return false;
    ++line.places;
    return !IsText(line.words);
  }

  /// Whether two slashes behind `words` may be meant: in a title, or in a variable for one.
  bool IsText(std::string_view words) const {
    if (words.find("metadata:") != std::string_view::npos) return true;
    if (region_ != Region::kVariables && !words.starts_with("vars:")) return false;
    const std::size_t colon = words.rfind(':');
    const std::string_view value = Trim(words.substr(colon + 1));
    return !value.empty() && !ParseNumber(value);
  }

  void TakeQuoted(Line& line) {
    const char quote = text_[at_];
    const std::size_t begin = at_;
    for (++at_; at_ < text_.size(); ++at_) {
      const bool doubled = text_.substr(at_, 2) == "''";
      if (quote == '"' ? text_[at_] == '\\' : doubled) {
        ++at_;
      } else if (text_[at_] == quote) {
        break;
      }
    }
    at_ = std::min(at_ + 1, text_.size());
    line.words += text_.substr(begin, at_ - begin);
  }

  /// `rest` is the line from the comment on.
  void TakeComment(Line& line, std::string_view rest) {
    if (!line.first) {
      line.first = at_;
      line.mark = rest.substr(0, 2);
    }
    if (rest.starts_with("/*")) return TakeBlock(line, rest);
    std::size_t end = rest.size();
    const auto count = [&](char c) { return std::ranges::count(rest, c); };
    if (count('}') + count(']') > count('{') + count('[')) {
      // In braces that are closed on this line, it ends where the entry does.
      end = rest.find_first_of(",}]");
      while (!line.words.empty() && IsSpace(line.words.back())) line.words.pop_back();
    }
    line.comments.emplace_back(Trim(rest.substr(2, end - 2)));
    at_ += end;
  }

  void TakeBlock(Line& line, std::string_view rest) {
    const std::size_t close = text_.find("*/", at_ + 2);
    const std::size_t end = std::min(close, text_.size());
    line.ends_later = end > at_ + rest.size();
    line.comments.emplace_back(Trim(text_.substr(at_ + 2, end - at_ - 2)));
    at_ = std::min(end + 2, text_.size());
    while (!line.words.empty() && IsSpace(line.words.back())) line.words.pop_back();
  }

  YamlProblem AsProblem(const Line& line) const {
    YamlProblem problem{*line.first,
                        fmt::format("a comment begins with # in YAML, not with {}", line.mark), ""};
    const std::string_view words = Trim(line.words);
    const std::string comment = fmt::format("# {}", fmt::join(line.comments, "; "));
    const std::string whole = words.empty() ? comment : fmt::format("{}  {}", words, comment);
    if (line.ends_later) {
      problem.advice = "Write # in front of each of its lines, without /* and */.";
    } else if (whole.size() > kLongest || whole.find('\n') != std::string::npos) {
      problem.advice = fmt::format("Write # in place of {}", line.mark);
    } else {
      problem.advice = fmt::format("Write {}", whole);
    }
    return problem;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Region region_ = Region::kNone;
  std::size_t indent_ = 0;  ///< of the line that the region is below
};

}  // namespace

bool HasForeignComment(std::string_view plain) {
  for (std::size_t at = plain.find('/'); at < plain.size(); at = plain.find('/', at + 1)) {
    if (BeginsComment(plain.substr(0, at), plain.substr(at))) return true;
  }
  return false;
}

std::vector<YamlProblem> ForeignComments(std::string_view text) {
  return CommentScan(text).Run();
}

}  // namespace weightsmith::internal
