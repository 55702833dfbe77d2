#include "core/formats/torch/pickle_scalars.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/base/text.h"
#include "core/formats/torch/pickle_escapes.h"
#include "core/formats/torch/pickle_opcodes.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kLongestLine = 1 << 16;
/// What a whole number may consist of for one reader or another.
constexpr std::string_view kOfNumbers = "0123456789abcdefABCDEFxXoOL_+- \t\r\f\v";

}  // namespace

void PickleScalars::RunOut(const std::string& problem) {
  ran_out_ = true;
  Refuse(problem);
}

std::string_view PickleScalars::Take(std::uint64_t size) {
  if (size > kMostPickleBytes) Refuse("has a value that is cut off");
  if (size > bytes_.size() - at_) RunOut("is cut off");
  const std::string_view taken = bytes_.substr(at_, size);
  at_ += size;
  return taken;
}
std::uint64_t PickleScalars::Little(std::size_t size) {
  const std::string_view bytes = Take(size);
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}
std::string_view PickleScalars::Line() {
  const std::size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos) RunOut("has an endless line");
  if (end - at_ > kLongestLine && !lenient()) Refuse("has an endless line");
  const std::string_view line = bytes_.substr(at_, end - at_);
  at_ = end + 1;
  return line;
}

std::string_view PickleScalars::NumberLine() {
  if (!lenient()) return Line();
  const std::size_t stop = bytes_.find_first_not_of(kOfNumbers, at_);
  if (stop != std::string_view::npos && bytes_[stop] != '\n' && bytes_[stop] != '\0') {
    Refuse("has a malformed number");
  }
  const std::string_view line = Line();
  return line.substr(0, line.find('\0'));
}
std::string_view PickleScalars::ModuleLine() {
  const std::string_view rest = bytes_.substr(at_, kLongestLine);
  if (rest.substr(0, rest.find('\n')).find('\0') != std::string_view::npos) {
    Refuse("names a module with a NUL in it");
  }
  return Line();
}

void PickleScalars::PushLong(std::string_view bytes) {
  if (bytes.size() > 8) return Push(AddText(PickleType::kBytes, std::string(bytes)));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  const std::size_t unused = 64 - 8 * bytes.size();
  PushInteger(bytes.empty() ? 0 : static_cast<std::int64_t>(value << unused) >> unused);
}

/// Decimal as pickle writes it: Python reads other bases, blanks and underscores as well.
void PickleScalars::PushNumberLine(std::string_view line) {
  if (lenient() && line.find_first_not_of(kOfNumbers) == std::string_view::npos) {
    return PushInteger(0);
  }
  std::string_view digits = line;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  if (digits.size() > 1 && digits.front() == '0') Refuse("has a malformed number");
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  const bool whole = stop == line.data() + line.size();
  if (whole && error == std::errc::result_out_of_range) {
    return Push(AddText(PickleType::kBytes, std::string(line)));
  }
  if (!whole || error != std::errc()) Refuse("has a malformed number");
  PushInteger(value);
}

void PickleScalars::PushFloatLine(std::string_view line) {
  if (line == "nan" || line == "inf" || line == "-inf") {
    const double value = line == "nan" ? std::nan("") : HUGE_VAL;
    return PushFloat(line == "-inf" ? -value : value);
  }
  const std::optional<double> value = lenient() ? 0 : ParseNumber(line);
  if (!value) Refuse("has a malformed number");
  PushFloat(*value);
}

bool PickleScalars::Number(unsigned char opcode) {
  switch (opcode) {
    case kNone:
      Push(Add({}));
      return true;
    case kNewTrue:
    case kNewFalse:
      PushBool(opcode == kNewTrue);
      return true;
    case kBinInt:
      PushInteger(static_cast<std::int32_t>(Little(4)));
      return true;
    case kBinInt1:
      PushInteger(static_cast<std::int64_t>(Little(1)));
      return true;
    case kBinInt2:
      PushInteger(static_cast<std::int64_t>(Little(2)));
      return true;
    case kLong1:
      PushLong(Take(Little(1)));
      return true;
    case kLong4:
      PushLong(Take(Little(4)));
      return true;
    case kIntLine: {
      const std::string_view line = NumberLine();
      if (line == "00" || line == "01") {
        PushBool(line == "01");
      } else {
        PushNumberLine(line);
      }
      return true;
    }
    case kLongLine: {
      std::string_view line = NumberLine();
      if (line.ends_with('L')) line.remove_suffix(1);
      PushNumberLine(line);
      return true;
    }
    case kFloatLine:
      PushFloatLine(Line());
      return true;
    case kBinFloat: {
      std::uint64_t bits = 0;
      for (const char c : Take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
      PushFloat(std::bit_cast<double>(bits));
      return true;
    }
    default:
      return false;
  }
}

void PickleScalars::PushUnescaped(std::optional<std::string> text) {
  if (!text && lenient()) text.emplace();
  if (!text) Refuse("has a malformed escape in a string");
  Push(AddText(PickleType::kText, std::move(*text)));
}

void PickleScalars::PushText(PickleType type, std::uint64_t size) {
  Push(AddText(type, std::string(Take(size))));
}

bool PickleScalars::String(unsigned char opcode) {
  switch (opcode) {
    case kShortBinUnicode:
      PushText(PickleType::kText, Little(1));
      return true;
    case kBinUnicode:
      PushText(PickleType::kText, Little(4));
      return true;
    case kBinUnicode8:
      PushText(PickleType::kText, Little(8));
      return true;
    // Python 2's strings are its names as well.
    case kShortBinString:
      PushText(PickleType::kText, Little(1));
      return true;
    case kBinString:
      PushText(PickleType::kText, Little(4));
      return true;
    case kShortBinBytes:
      PushText(PickleType::kBytes, Little(1));
      return true;
    case kBinBytes:
      PushText(PickleType::kBytes, Little(4));
      return true;
    case kBinBytes8:
    case kByteArray8:
      PushText(PickleType::kBytes, Little(8));
      return true;
    case kUnicodeLine:
      PushUnescaped(UnescapeUnicode(Line()));
      return true;
    case kStringLine: {
      std::string_view line = Line();
      const bool quoted = line.size() >= 2 && line.front() == line.back() &&
                          (line.front() == '\'' || line.front() == '"');
      if (!quoted) Refuse("has a malformed string");
      PushUnescaped(UnescapeBytes(line.substr(1, line.size() - 2)));
      return true;
    }
    default:
      return false;
  }
}

}  // namespace weightsmith::internal
