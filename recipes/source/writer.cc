#include "recipes/source/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "core/base/json-inl.h"
#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kIndent = 2;

std::string Quoted(const std::string& text) {
  return ToLine(Json(text));
}

/// Whether YAML reads `text` as itself wherever it stands; its words for other things are many.
bool Harmless(const std::string& text) {
  static constexpr std::array<std::string_view, 9> kWords{"true", "false", "null", "yes", "no",
                                                          "on",   "off",   "y",    "n"};
  const auto harmless = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
  };
  const std::string lower = Lowercase(text);
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
         std::ranges::all_of(text, harmless) && std::ranges::find(kWords, lower) == kWords.end();
}

/// The quotes and escapes of JSON are YAML's as well.
std::string YamlScalar(const SourceNode& node) {
  return node.plain || Harmless(node.text) ? node.text : Quoted(node.text);
}

std::string JsonScalar(const SourceNode& node) {
  return node.plain ? node.text : Quoted(node.text);
}

using ScalarWriter = std::string (*)(const SourceNode&);

bool IsBlock(const SourceNode& node) {
  return (node.map() || node.list()) && !node.flow && !node.items.empty();
}

/// On one line.
void WriteFlow(const SourceNode& node, ScalarWriter scalar, std::string& out) {
  if (node.scalar()) {
    out += scalar(node);
    return;
  }
  if (!node.map() && !node.list()) {
    out += "null";
    return;
  }
  out += node.map() ? '{' : '[';
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) out += ", ";
    if (node.map()) out += scalar(node.keys[i]) + ": ";
    WriteFlow(node.items[i], scalar, out);
  }
  out += node.map() ? '}' : ']';
}

/// A line for every entry; `first` is what stands before the first, spaces before the others.
void WriteYamlBlock(const SourceNode& node, std::string_view first, std::size_t indent,
                    std::string& out) {
  const std::string pad(indent, ' ');
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const SourceNode& item = node.items[i];
    out += i == 0 ? first : std::string_view(pad);
    out += node.map() ? YamlScalar(node.keys[i]) + ":" : "-";
    if (!IsBlock(item)) {
      out += ' ';
      WriteFlow(item, YamlScalar, out);
      out += '\n';
      continue;
    }
    out += node.map() ? '\n' : ' ';
    const std::string deeper(indent + kIndent, ' ');
    WriteYamlBlock(item, node.map() ? std::string_view(deeper) : "", indent + kIndent, out);
  }
}

void WriteJsonBlock(const SourceNode& node, std::size_t indent, std::string& out) {
  if (!IsBlock(node)) return WriteFlow(node, JsonScalar, out);
  const std::string pad(indent, ' ');
  out += node.map() ? '{' : '[';
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    out += i == 0 ? "\n" : ",\n";
    out.append(indent + kIndent, ' ');
    if (node.map()) out += JsonScalar(node.keys[i]) + ": ";
    WriteJsonBlock(node.items[i], indent + kIndent, out);
  }
  out += '\n' + pad + (node.map() ? '}' : ']');
}

}  // namespace

std::string YamlQuoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string WriteYaml(const SourceNode& tree) {
  std::string out;
  if (IsBlock(tree)) {
    WriteYamlBlock(tree, "", 0, out);
  } else {
    WriteFlow(tree, YamlScalar, out);
    out += '\n';
  }
  return out;
}

std::string WriteJson(const SourceNode& tree) {
  std::string out;
  WriteJsonBlock(tree, 0, out);
  return out + '\n';
}

std::string FlowText(const SourceNode& tree, std::size_t limit) {
  std::string out;
  WriteFlow(tree, YamlScalar, out);
  if (out.size() <= limit) return out;
  while (limit > 0 && (static_cast<unsigned char>(out[limit]) & 0xC0) == 0x80) --limit;
  return out.substr(0, limit) + "…";
}

}  // namespace weightsmith::internal
