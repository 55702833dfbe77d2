// Words for people: quoting, sizes, and the nearest known name for one that is not.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weightsmith::internal {

/// 'text' in single quotes, control characters and invalid UTF-8 made visible, at most `limit`
/// bytes shown.
std::string Quote(std::string_view text, std::size_t limit = 200);

/// "2.13 GB", decimal units, three digits; "412 B" below a thousand.
std::string FormatBytes(std::uint64_t bytes);

/// "1,131".
std::string FormatCount(std::uint64_t count);

/// The shortest decimal form that parses back to the same double: "0.3", "1e-05".
std::string FormatNumber(double value);

/// A size as people write it: "512M", "1.5GiB", "5GB", "1000". K M G T with nothing or B are
/// decimal, with i binary.
std::optional<std::uint64_t> ParseBytes(std::string_view text);

/// The number that the whole of `text` spells; nothing for "0.3x", "", "nan" or "inf".
std::optional<double> ParseNumber(std::string_view text);

/// The known name nearest to `name` by edit distance, when it is near enough to be meant.
std::optional<std::string> NearestName(std::string_view name, std::span<const std::string> known);

/// " Did you mean 'x'?", or nothing when no known name is near.
std::string DidYouMean(std::string_view name, std::span<const std::string> known);

/// With a to z for A to Z, whatever the locale.
std::string Lowercase(std::string_view text);

/// Without spaces, tabs and line ends on both sides.
std::string_view Trim(std::string_view text);

}  // namespace weightsmith::internal
