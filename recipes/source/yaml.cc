// YAML through the events of yaml-cpp, which tell tags, aliases and places that its nodes lose.
#include "recipes/source/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "recipes/source/backslashes.h"
#include "recipes/source/foreign_comment.h"
#include "recipes/source/line_index.h"
#include "recipes/source/lookalike.h"
#include "recipes/source/tree_builder.h"
#include "recipes/source/yaml_problem.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kMaxExpandedNodes = 10'000;

/// Ends the parse after a problem that was told already.
struct Stop : std::exception {};

/// Of the escapes \N and \_ yaml-cpp makes a byte of Latin-1, and not a character.
std::string AsUtf8(std::string_view text) {
  std::string fixed;
  for (std::size_t at; (at = FindInvalidUtf8(text)) != std::string_view::npos;) {
    fixed += text.substr(0, at);
    if (text[at] == '\x85' || text[at] == '\xA0') fixed += '\xC2';
    fixed += text[at];
    text.remove_prefix(at + 1);
  }
  return fixed += text;
}

class YamlHandler : public YAML::EventHandler {
 public:
  YamlHandler(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics)
      : source_(source), lines_(source), builder_(diagnostics), diagnostics_(diagnostics) {}

  std::optional<SourceNode> Take() { return builder_.Take(); }
  /// Whether a fault was reported of which others follow.
  bool reported() const { return reported_; }
  /// Whether two slashes stand in a text without quotes as a comment would.
  bool has_comment() const { return has_comment_; }
  SourcePlace At(const YAML::Mark& mark) const {
    return lines_.At(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ < 2) return;
    const std::string_view rest = std::string_view(source_->text).substr(Offset(mark));
    const bool whole = rest.find("\nweightsmith:") != std::string_view::npos;
    Fail(mark, "a recipe is one document, and a second one starts here",
         whole ? "Write it to a file of its own, without the line ---." : "Remove the line ---");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    SourceNode node = Make(SourceNode::Type::kNull, mark);
    // Where nothing is written, the mark is that of what comes next.
    const std::string_view rest = std::string_view(source_->text).substr(Offset(mark));
    node.implicit = rest.empty() || std::string_view("~nN").find(rest.front()) == std::string::npos;
    Finished(anchor, std::move(node));
  }

  /// The innermost bracket that is open.
  std::optional<std::size_t> OpenBracket() const {
    for (auto open = open_.rbegin(); open != open_.rend(); ++open) {
      if (open->bracket) return open->bracket;
    }
    return std::nullopt;
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    if (tag != "?") CheckQuote(mark);
    if (tag == "?") CheckPlain(mark, value);
    SourceNode node = Make(SourceNode::Type::kScalar, mark);
    node.text = AsUtf8(value);
    node.plain = tag == "?";
    Finished(anchor, std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) Fail(mark, "an alias stands inside what it names");
    expanded_ += found->second.Count();
    if (expanded_ > kMaxExpandedNodes) {
      Fail(mark, fmt::format("aliases expand to more than {} nodes", kMaxExpandedNodes));
    }
    builder_.Add(found->second);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(SourceNode::Type::kList, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(SourceNode::Type::kMap, mark, tag, anchor, style);
  }
  void OnMapEnd() override { Close(); }

 private:
  [[noreturn]] void Fail(const YAML::Mark& mark, std::string message, std::string advice = {}) {
    diagnostics_.AddError(At(mark), std::move(message), std::move(advice));
    throw Stop();
  }

  std::size_t Offset(const YAML::Mark& mark) const {
    return std::min(static_cast<std::size_t>(mark.pos), source_->text.size());
  }

  /// What YAML reads as text and nobody means as text.
  void CheckPlain(const YAML::Mark& mark, const std::string& value) {
    const std::string_view text = source_->text;
    has_comment_ = has_comment_ || HasForeignComment(value);
    if (const auto found = LookalikeInScalar(value)) {
      const bool here = text.substr(Offset(mark)).starts_with(value);
      diagnostics_.AddError(lines_.At(Offset(mark) + (here ? found->offset : 0)), found->message,
                            found->advice);
      reported_ = true;
      return;
    }
    if (spaces_reported_) return;
    const bool in_braces =
        !open_.empty() && open_.back().bracket && text[*open_.back().bracket] == '{';
    if (TakesInLine(text, Offset(mark), value) ||
        (in_braces && IsEntryWithoutSpace(text, Offset(mark), value))) {
      for (const YamlProblem& problem : MissingSpaces(text)) {
        diagnostics_.AddError(lines_.At(problem.offset), problem.message, problem.advice);
        reported_ = spaces_reported_ = true;
      }
    }
  }

  SourceNode Make(SourceNode::Type type, const YAML::Mark& mark) const {
    SourceNode node;
    node.type = type;
    node.place = At(mark);
    return node;
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    diagnostics_.AddError(At(mark), fmt::format("tags ({}) are not part of the language", tag),
                          "Remove the tag; quotes make a text of what looks like a number.");
  }

  /// yaml-cpp takes the end of the text for the end of a quoted scalar: a recipe that was cut off
  /// would read as whole.
  void CheckQuote(const YAML::Mark& mark) {
    const std::string& text = source_->text;
    auto at = static_cast<std::size_t>(mark.pos);
    while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
      at = text.find_first_not_of(" \t\r\n", text.find_first_of(" \t\r\n", at));
    }
    if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return;
    const std::size_t front = at;
    const char quote = text[at];
    for (++at; at < text.size(); ++at) {
      if (quote == '"' && text[at] == '\\') {
        ++at;
      } else if (text[at] == quote) {
        if (quote == '"' || !std::string_view(text).substr(at + 1).starts_with(quote)) return;
        ++at;
      }
    }
    FailOfQuote(mark, front);
  }

  /// Of a text that does not end: a \ in front of the last quote hides that.
  [[noreturn]] void FailOfQuote(const YAML::Mark& mark, std::size_t quote) {
    for (const BrokenText& broken : BrokenTexts(source_->text, Escapes::kYaml)) {
      if (broken.offset != quote) continue;
      Fail(mark, "in double quotes a \\ starts an escape",
           BackslashAdvice(broken.inside, Escapes::kYaml));
    }
    Fail(mark, "this quote is not closed",
         fmt::format("Write the other {} behind the text.", source_->text[quote]));
  }

  void Open(SourceNode::Type type, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
    CheckTag(mark, tag);
    SourceNode node = Make(type, mark);
    node.flow = style == YAML::EmitterStyle::Flow;
    if (!builder_.Open(std::move(node))) throw Stop();
    const bool flow = style == YAML::EmitterStyle::Flow;
    open_.push_back({anchor, flow ? std::optional(Offset(mark)) : std::nullopt});
  }

  void Close() {
    const YAML::anchor_t anchor = open_.back().anchor;
    open_.pop_back();
    const SourceNode& node = builder_.Close();
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
  }

  void Finished(YAML::anchor_t anchor, SourceNode node) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    builder_.Add(std::move(node));
  }

  std::shared_ptr<const SourceText> source_;
  LineIndex lines_;
  TreeBuilder builder_;
  Diagnostics& diagnostics_;
  std::unordered_map<YAML::anchor_t, SourceNode> anchors_;
  struct OpenNode {
    YAML::anchor_t anchor;
    std::optional<std::size_t> bracket;  ///< of one in brackets, where it begins
  };
  std::vector<OpenNode> open_;
  std::size_t expanded_ = 0;
  int documents_ = 0;
  bool reported_ = false;
  bool spaces_reported_ = false;
  bool has_comment_ = false;
};

/// How far the parser came.
struct Outcome {
  bool whole = false;
  std::optional<YAML::ParserException> failure;
};

Outcome Parse(const SourceText& source, YamlHandler& handler) {
  std::istringstream stream(source.text);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(handler)) {
    }
    return {true, {}};
  } catch (const Stop&) {
    return {};
  } catch (const YAML::Exception& error) {
    return {false, YAML::ParserException(error.mark, error.msg)};
  }
}

std::vector<YamlProblem> Explain(const SourceText& source, const YAML::Exception& error,
                                 const YamlHandler& handler) {
  const auto offset = static_cast<std::size_t>(std::max(error.mark.pos, 0));
  return ExplainYaml(source.text, {error.msg, offset, handler.OpenBracket()});
}

}  // namespace

std::optional<SourceNode> ReadYaml(const std::shared_ptr<const SourceText>& source,
                                   Diagnostics& diagnostics) {
  Diagnostics found;
  YamlHandler handler(source, found);
  const Outcome outcome = Parse(*source, handler);
  const auto report = [&](const std::vector<YamlProblem>& problems) {
    const LineIndex lines(source);
    for (const YamlProblem& problem : problems) {
      diagnostics.AddError(lines.At(problem.offset), problem.message, problem.advice);
    }
  };
  if (source->setting == Setting::kNone && (handler.has_comment() || outcome.failure)) {
    // What else is wrong may follow from these.
    const std::vector<YamlProblem> comments = ForeignComments(source->text);
    report(comments);
    if (!comments.empty()) return std::nullopt;
  }
  for (const Diagnostic& problem : found.all()) {
    diagnostics.AddError(problem.place, problem.message, problem.advice);
  }
  if (outcome.failure && !handler.reported()) report(Explain(*source, *outcome.failure, handler));
  if (!outcome.whole || handler.reported()) return std::nullopt;
  return handler.Take();
}

}  // namespace weightsmith::internal
