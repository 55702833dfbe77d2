#include "recipes/source/source_node.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "recipes/source/foreign_recipe.h"
#include "recipes/source/json.h"
#include "recipes/source/line_index.h"
#include "recipes/source/yaml.h"

namespace weightsmith::internal {
namespace {

/// Where the text is one: UTF-8 without zero bytes, and of no other format.
bool CheckText(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics) {
  const std::string_view text = source->text;
  if (auto foreign = ForeignText(text)) {
    SourcePlace place{source, 1, 1};
    if (foreign->binary) place.source = WithoutLines(*source);
    diagnostics.AddError(place, std::move(foreign->message), std::move(foreign->advice));
    return false;
  }
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos) {
    const SourcePlace place = LineIndex(source).At(zero);
    diagnostics.AddError({WithoutLines(*source), place.line, place.column},
                         "there is a zero byte here, and a recipe is text",
                         "Give the recipe, a YAML or JSON file.");
    return false;
  }
  const std::size_t invalid = FindInvalidUtf8(text);
  if (invalid == std::string_view::npos) return true;
  const SourcePlace place = LineIndex(source).At(invalid);
  diagnostics.AddError(
      {WithoutLines(*source), place.line, place.column},
      fmt::format("the byte 0x{:02x} is not UTF-8",
                  static_cast<unsigned>(static_cast<unsigned char>(text[invalid]))),
      "Save the file as UTF-8.");
  return false;
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

SourceNode ReportedNode(const SourcePlace& place) {
  SourceNode node;
  node.place = place;
  node.text.assign(1, '$');  // a null has no text of its own
  return node;
}

bool IsReported(const SourceNode& node) {
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

}  // namespace weightsmith::internal
