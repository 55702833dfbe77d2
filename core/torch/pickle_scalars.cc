#include "core/torch/pickle_scalars.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "core/text.h"
#include "core/torch/pickle_opcodes.h"

namespace weightsmith {
namespace {

constexpr std::size_t kLongestLine = 1 << 16;

}  // namespace

std::string_view PickleScalars::Take(std::uint64_t size) {
  if (size > bytes_.size() - at_) Refuse("is cut off");
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
  if (end == std::string_view::npos || end - at_ > kLongestLine) Refuse("has an endless line");
  const std::string_view line = bytes_.substr(at_, end - at_);
  at_ = end + 1;
  return line;
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

void PickleScalars::PushNumberLine(std::string_view line) {
  if (line.ends_with('L')) line.remove_suffix(1);
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error == std::errc::result_out_of_range) {
    return Push(AddText(PickleType::kBytes, std::string(line)));
  }
  if (error != std::errc() || stop != line.data() + line.size()) Refuse("has a malformed number");
  PushInteger(value);
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
      const std::string_view line = Line();
      if (line == "00" || line == "01") {
        PushBool(line == "01");
      } else {
        PushNumberLine(line);
      }
      return true;
    }
    case kLongLine:
      PushNumberLine(Line());
      return true;
    case kFloatLine:
      PushFloat(ParseNumber(Line()).value_or(std::nan("")));
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
      Push(AddText(PickleType::kText, std::string(Line())));
      return true;
    case kStringLine: {
      std::string_view line = Line();
      const bool quoted = line.size() >= 2 && line.front() == line.back() &&
                          (line.front() == '\'' || line.front() == '"');
      if (!quoted) Refuse("has a malformed string");
      Push(AddText(PickleType::kText, std::string(line.substr(1, line.size() - 2))));
      return true;
    }
    default:
      return false;
  }
}

}  // namespace weightsmith
