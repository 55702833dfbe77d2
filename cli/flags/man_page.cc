#include "cli/flags/man_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "cli/command.h"
#include "cli/flags/help.h"
#include "cli/program.h"
#include "core/base/version.h"

namespace weightsmith::internal {
namespace {

// What roff would take for its own: backslashes, dashes that must stay dashes, and dots and quotes
// at the start of a line. Words in `backticks` become bold.
std::string Escape(std::string_view text) {
  std::string out;
  bool bold = false;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '`':
        bold = !bold;
        out += bold ? "\\fB" : "\\fR";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Paragraphs; lines that begin with a space are shown as they are.
std::string Paragraphs(std::string_view text) {
  std::string out;
  bool verbatim = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool indented = !line.empty() && line.front() == ' ';
    if (indented != verbatim) out += indented ? ".nf\n" : ".fi\n";
    verbatim = indented;
    out += line.empty() ? ".PP\n" : Escape(line) + "\n";
  }
  if (verbatim) out += ".fi\n";
  return out;
}

std::string Item(std::string_view tag, std::string_view text) {
  return fmt::format(".TP\n\\fB{}\\fR\n{}\n", Escape(tag), Escape(text));
}

std::string FlagItem(const Flag& flag) {
  std::string tag = flag.letter != 0 ? fmt::format("\\fB\\-{}\\fR, ", flag.letter) : "";
  tag += fmt::format("\\fB{}\\fR", Escape(fmt::format("--{}", flag.name)));
  if (!flag.value.empty()) tag += fmt::format(" \\fI{}\\fR", Escape(flag.value));
  return fmt::format(".TP\n{}\n{}\n", tag, Escape(FlagManual(flag)));
}

std::string CommandSection(const Command& command) {
  std::string out =
      fmt::format(".SS \"{}\"\n.B {}\n.PP\n", command.name, Escape(UsageLine(command)));
  out += Paragraphs(fmt::format("{}.", command.summary)) + ".PP\n" + Paragraphs(command.doc);
  for (const Positional& positional : command.positionals) {
    out += Item(positional.name, fmt::format("{}.", positional.doc));
  }
  for (const Flag& flag : command.flags) {
    if (!flag.hidden) out += FlagItem(flag);
  }
  for (const Example& example : command.examples) {
    out += fmt::format(".PP\n{}\n.RS 4\n.nf\n{}\n.fi\n.RE\n", Escape(example.doc),
                       Escape(example.line));
  }
  return out;
}

}  // namespace

std::string ManPage() {
  std::string page = fmt::format(
      ".TH WEIGHTSMITH 1 \"\" \"weightsmith {}\" \"User Commands\"\n"
      ".SH NAME\n"
      "weightsmith \\- streaming merges of model checkpoints from a declarative recipe\n"
      ".SH SYNOPSIS\n"
      ".B weightsmith\n"
      "\\fICOMMAND\\fR [\\fIFLAGS\\fR] \\fIARGUMENTS\\fR\n"
      ".SH DESCRIPTION\n"
      "Results go to standard output, reports and progress to standard error. Flags and arguments\n"
      "may come in any order, names are never abbreviated, \\fB\\-\\-\\fR ends the flags, and a "
      "file named \\fB\\-\\fR\nis standard input where a recipe is read.\n"
      ".PP\n"
      "Control characters, invisible characters and invalid UTF\\-8 in the names and texts of "
      "files\n"
      "are printed as escapes such as \\ex1b and \\eu202e, on both streams. JSON uses the escapes "
      "of\n"
      "JSON, so that programs read the same characters. Two things keep their bytes, where "
      "standard\n"
      "output is not a terminal: the path of an output, and the value that "
      "\\fBmeta \\-\\-get\\fR prints.\n"
      "Lines are folded to the width of a terminal, or to \\fBCOLUMNS\\fR where it is set; JSON,\n"
      "recipes and lines with tabs are not.\n"
      ".SH COMMANDS\n",
      Version());
  for (const Command* command : Commands()) page += CommandSection(*command);
  page += ".SH \"COMMON FLAGS\"\n";
  for (const Flag& flag : CommonFlags()) page += FlagItem(flag);
  page += ".SH \"EXIT STATUS\"\n";
  for (const ExitStatus& row : ExitStatuses()) page += Item(row.status, row.meaning);
  page += ".SH ENVIRONMENT\n";
  for (const EnvironmentVariable& row : EnvironmentVariables()) {
    page += Item(row.name, row.meaning);
  }
  return page;
}

}  // namespace weightsmith::internal
