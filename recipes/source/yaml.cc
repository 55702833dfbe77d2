// YAML through the events of yaml-cpp, which tell tags, aliases and places that its nodes lose.
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "core/text.h"
#include "recipes/source/formats.h"
#include "recipes/source/line_index.h"
#include "recipes/source/tree_builder.h"

namespace weightsmith {
namespace {

constexpr std::size_t kMaxExpandedNodes = 10'000;

/// Ends the parse after a problem that was told already.
struct Stop : std::exception {};

class Handler : public YAML::EventHandler {
 public:
  Handler(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics)
      : source_(source), lines_(source), builder_(diagnostics), diagnostics_(diagnostics) {}

  std::optional<SourceNode> Take() { return builder_.Take(); }
  SourcePlace At(const YAML::Mark& mark) const {
    return lines_.At(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) Fail(mark, "a recipe is one document; a second one starts here");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Finished(anchor, Make(SourceNode::Type::kNull, mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    if (tag != "?") CheckQuote(mark);
    SourceNode node = Make(SourceNode::Type::kScalar, mark);
    node.text = value;
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
  [[noreturn]] void Fail(const YAML::Mark& mark, std::string message) {
    diagnostics_.AddError(At(mark), std::move(message));
    throw Stop();
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
    const char quote = text[at];
    for (++at; at < text.size(); ++at) {
      if (quote == '"' && text[at] == '\\') {
        ++at;
      } else if (text[at] == quote) {
        if (quote == '"' || !std::string_view(text).substr(at + 1).starts_with(quote)) return;
        ++at;
      }
    }
    Fail(mark, "this quote is not closed");
  }

  void Open(SourceNode::Type type, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
    CheckTag(mark, tag);
    SourceNode node = Make(type, mark);
    node.flow = style == YAML::EmitterStyle::Flow;
    if (!builder_.Open(std::move(node))) throw Stop();
    open_anchors_.push_back(anchor);
  }

  void Close() {
    const YAML::anchor_t anchor = open_anchors_.back();
    open_anchors_.pop_back();
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
  std::vector<YAML::anchor_t> open_anchors_;
  std::size_t expanded_ = 0;
  int documents_ = 0;
};

/// What to write where YAML itself gives up.
/// A line of the text, from 0; nothing behind the last.
std::string_view LineOf(std::string_view text, int line) {
  for (; line > 0; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

std::string AdviceFor(const std::string& message, std::string_view line) {
  if (line.starts_with('\t')) return "Indent with spaces.";
  if (message.find("end of map flow not found") != std::string::npos ||
      message.find("end of sequence flow not found") != std::string::npos) {
    return "A bracket is not closed. A /regex/ row inside { } must be quoted.";
  }
  if (message.find("illegal EOF in scalar") != std::string::npos) return "A quote is not closed.";
  if (message.find("unknown escape") != std::string::npos) {
    return "In double quotes a \\ starts an escape; use single quotes or / in paths.";
  }
  return {};
}

}  // namespace

std::optional<SourceNode> ReadYaml(const std::shared_ptr<const SourceText>& source,
                                   Diagnostics& diagnostics) {
  Handler handler(source, diagnostics);
  std::istringstream stream(source->text);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(handler)) {
    }
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    diagnostics.AddError(handler.At(error.mark), "this is not valid YAML: " + error.msg,
                         AdviceFor(error.msg, LineOf(source->text, error.mark.line)));
    return std::nullopt;
  }
  return handler.Take();
}

}  // namespace weightsmith
