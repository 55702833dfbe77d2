// Text for people in columns: paragraphs wrapped, tables of two columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/display_width.h"

namespace weightsmith::internal {

/// Columns of help pages, whatever the terminal: they are also read in files.
inline constexpr std::size_t kPageWidth = 80;

/// The paragraphs of `text`, separated by empty lines, each wrapped to `width` columns and
/// indented. Lines that begin with a space are kept as they are. Ends with a newline unless empty.
std::string Wrap(std::string_view text, std::size_t indent, std::size_t width = kPageWidth);

struct TableRow {
  std::string left;
  std::string right;
};

/// Two columns, indented by two; the right one starts where the widest left one of at most
/// `max_left` columns ends (a wider one gets a line of its own) and is wrapped.
std::string Table(const std::vector<TableRow>& rows, std::size_t max_left = 28,
                  std::size_t width = kPageWidth);

/// For lines of reports, which the terminal folds at its own width.
inline constexpr std::size_t kUnwrapped = 100'000;

/// The lines of `text`, without their ends.
std::vector<std::string_view> SplitLines(std::string_view text);

/// Lines that are wider than `width` folded: at spaces, under where their text or their last column
/// of a table begins, and within a word that is too long for a line.
std::string Fold(std::string_view text, std::size_t width);

/// `text` followed by spaces to `width` columns.
std::string PadRight(std::string_view text, std::size_t width);
std::string PadLeft(std::string_view text, std::size_t width);

/// "1 tensor", "1,131 tensors".
std::string Counted(std::uint64_t count, std::string_view thing);

}  // namespace weightsmith::internal
