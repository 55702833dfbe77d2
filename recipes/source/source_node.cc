#include "recipes/source/source_node.h"

#include <fmt/format.h>

#include <utility>

#include "core/text.h"
#include "recipes/source/formats.h"
#include "recipes/source/line_index.h"

namespace weightsmith {
namespace {

/// Length of the UTF-8 sequence at the front of `text`; 0 where it is none.
std::size_t Utf8Length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) >= 0x90;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool CheckText(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics) {
  const std::string_view text = source->text;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = Utf8Length(text.substr(i));
    if (length == 0 || text[i] == '\0') {
      diagnostics.AddError(LineIndex(source).At(i),
                           length == 0 ? "a recipe is UTF-8 text; this byte is not"
                                       : "a recipe is text; there is a zero byte in it");
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace

const SourceNode* SourceNode::Find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size() && i < items.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

std::size_t SourceNode::Count() const {
  std::size_t count = 1 + keys.size();
  for (const SourceNode& item : items) count += item.Count();
  return count;
}

SourceNode ToldNode(const SourcePlace& place) {
  SourceNode node;
  node.place = place;
  node.text.assign(1, '$');  // a null has no text of its own
  return node;
}

bool IsTold(const SourceNode& node) {
  return node.type == SourceNode::Type::kNull && !node.text.empty();
}

std::string Describe(const SourceNode& node) {
  switch (node.type) {
    case SourceNode::Type::kNull:
      return "nothing";
    case SourceNode::Type::kList:
      return "a list";
    case SourceNode::Type::kMap:
      return "a mapping";
    case SourceNode::Type::kScalar:
      break;
  }
  return Quote(node.text, 60);
}

std::optional<SourceNode> ReadSource(const std::shared_ptr<const SourceText>& source,
                                     Diagnostics& diagnostics) {
  if (!CheckText(source, diagnostics)) return std::nullopt;
  const bool json = source->name.ends_with(".json") || source->text.starts_with('{');
  Diagnostics problems;
  auto tree = json ? ReadJson(source, problems) : ReadYaml(source, problems);
  for (const Diagnostic& problem : problems.all()) {
    diagnostics.AddError(problem.place, problem.message, problem.advice);
  }
  if (problems.HasErrors()) return std::nullopt;
  return tree;
}

SourceNode ReadOption(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics) {
  SourceNode nothing;
  nothing.place = {source, 0, 0};
  if (!CheckText(source, diagnostics)) return nothing;
  std::optional<SourceNode> tree = ReadYaml(source, diagnostics);
  return tree ? std::move(*tree) : nothing;
}

}  // namespace weightsmith
