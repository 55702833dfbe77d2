#include "core/torch/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "core/torch/pickle_builder.h"
#include "core/torch/pickle_opcodes.h"

namespace weightsmith {
namespace {

// A real checkpoint with its optimizer stays far below it.
constexpr std::size_t kMostOpcodes = 50'000'000;
constexpr std::size_t kLongestLine = 1 << 16;

/// Python 2's names of what protocol 2 still writes.
std::string Renamed(std::string module) {
  if (module == "__builtin__") return "builtins";
  if (module == "copy_reg") return "copyreg";
  return module;
}

/// Classes that are dicts with more habits.
bool IsDictClass(std::string_view dotted) {
  return dotted == "collections.OrderedDict" || dotted == "collections.defaultdict" ||
         dotted == "collections.Counter" || dotted == "builtins.dict";
}

}  // namespace

class PickleMachine : PickleBuilder {
 public:
  explicit PickleMachine(std::string_view bytes) : bytes_(bytes) {}

  Pickle Run() {
    for (std::size_t count = 0;; ++count) {
      if (count == kMostOpcodes) Refuse("has more opcodes than any checkpoint");
      Begin(at_);
      const auto opcode = static_cast<unsigned char>(Take(1)[0]);
      if (opcode == kStop) break;
      if (!Number(opcode) && !String(opcode) && !Container(opcode) && !Memo(opcode) &&
          !Object(opcode)) {
        Refuse(fmt::format("has the opcode 0x{:02x}, which no checkpoint needs", opcode));
      }
    }
    return Finish(at_, globals_);
  }

 private:
  // Bytes.
  std::string_view Take(std::uint64_t size) {
    if (size > bytes_.size() - at_) Refuse("is cut off");
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }
  std::uint64_t Little(std::size_t size) {
    const std::string_view bytes = Take(size);
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
  }
  std::string_view Line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos || end - at_ > kLongestLine) Refuse("has an endless line");
    const std::string_view line = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }

  void PushInteger(std::int64_t value) { Push(Add({PickleType::kInteger, 0, value, 0})); }
  void PushBool(bool value) { Push(Add({PickleType::kBool, 0, value ? 1 : 0, 0})); }
  void PushFloat(double value) { Push(Add({PickleType::kFloat, 0, 0, value})); }

  void PushLong(std::string_view bytes) {
    if (bytes.size() > 8) return Push(AddText(PickleType::kBytes, std::string(bytes)));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    const std::size_t unused = 64 - 8 * bytes.size();
    PushInteger(bytes.empty() ? 0 : static_cast<std::int64_t>(value << unused) >> unused);
  }

  void PushNumberLine(std::string_view line) {
    if (line.ends_with('L')) line.remove_suffix(1);
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error == std::errc::result_out_of_range) {
      return Push(AddText(PickleType::kBytes, std::string(line)));
    }
    if (error != std::errc() || stop != line.data() + line.size()) Refuse("has a malformed number");
    PushInteger(value);
  }

  bool Number(unsigned char opcode) {
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

  void PushText(PickleType type, std::uint64_t size) {
    Push(AddText(type, std::string(Take(size))));
  }

  bool String(unsigned char opcode) {
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

  void ExtendTop(PickleType type) {
    const std::vector<PickleRef> more = PopMark();
    Extend(Top(), type, more);
  }

  void PushTuple(std::size_t size) {
    std::vector<PickleRef> items(size);
    for (std::size_t i = size; i-- > 0;) items[i] = Pop();
    Push(AddItems(PickleType::kTuple, std::move(items)));
  }

  bool Container(unsigned char opcode) {
    switch (opcode) {
      case kMark:
        PushMark();
        return true;
      case kEmptyTuple:
      case kTuple1:
      case kTuple2:
      case kTuple3:
        PushTuple(opcode == kEmptyTuple ? 0 : opcode - kTuple1 + 1u);
        return true;
      case kTuple:
        Push(AddItems(PickleType::kTuple, PopMark()));
        return true;
      case kEmptyList:
        Push(AddItems(PickleType::kList, {}));
        return true;
      case kList:
        Push(AddItems(PickleType::kList, PopMark()));
        return true;
      case kEmptyDict:
        Push(AddItems(PickleType::kDict, {}));
        return true;
      case kDict: {
        const std::vector<PickleRef> items = PopMark();
        const PickleRef dict = AddItems(PickleType::kDict, {});
        Extend(dict, PickleType::kDict, items);
        Push(dict);
        return true;
      }
      case kEmptySet:
        Push(AddItems(PickleType::kSet, {}));
        return true;
      case kFrozenSet:
        Push(AddItems(PickleType::kSet, PopMark()));
        return true;
      case kAppend: {
        const PickleRef item = Pop();
        Extend(Top(), PickleType::kList, std::span(&item, 1));
        return true;
      }
      case kAppends:
        ExtendTop(PickleType::kList);
        return true;
      case kAddItems:
        ExtendTop(PickleType::kSet);
        return true;
      case kSetItem: {
        const PickleRef value = Pop();
        const PickleRef pair[] = {Pop(), value};
        Extend(Top(), PickleType::kDict, pair);
        return true;
      }
      case kSetItems:
        ExtendTop(PickleType::kDict);
        return true;
      default:
        return false;
    }
  }

  std::uint64_t KeyLine() {
    const std::string_view line = Line();
    std::uint64_t key = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), key);
    if (error != std::errc() || stop != line.data() + line.size()) Refuse("has a malformed number");
    return key;
  }

  bool Memo(unsigned char opcode) {
    switch (opcode) {
      case kPutLine:
        Put(KeyLine());
        return true;
      case kBinPut:
        Put(Little(1));
        return true;
      case kLongBinPut:
        Put(Little(4));
        return true;
      case kMemoize:
        Put(remembered());
        return true;
      case kGetLine:
        Get(KeyLine());
        return true;
      case kBinGet:
        Get(Little(1));
        return true;
      case kLongBinGet:
        Get(Little(4));
        return true;
      case kPop:
        PopOrUnmark();
        return true;
      case kPopMark:
        PopMark();
        return true;
      case kDup:
        Push(Top());
        return true;
      default:
        return false;
    }
  }

  PickleRef AddGlobal(std::string module, std::string_view name) {
    std::string dotted = Renamed(std::move(module)) + "." + std::string(name);
    globals_.insert(dotted);
    return AddText(PickleType::kGlobal, std::move(dotted));
  }

  /// The result of a call that nobody makes.
  void PushCall(PickleRef callable, PickleRef arguments) {
    if (Is(callable, PickleType::kGlobal) && IsDictClass(TextOf(callable))) {
      return Push(AddItems(PickleType::kDict, {}));
    }
    Push(AddItems(PickleType::kCall, {callable, arguments}));
  }

  void StackGlobal() {
    const PickleRef name = Pop();
    const PickleRef module = Pop();
    if (!Is(name, PickleType::kText) || !Is(module, PickleType::kText)) {
      Refuse("names a global by what is no text");
    }
    Push(AddGlobal(TextOf(module), TextOf(name)));
  }

  bool Object(unsigned char opcode) {
    switch (opcode) {
      case kProto:
        if (Little(1) > 5) Refuse("is of a protocol above 5");
        return true;
      case kFrame:
        Little(8);  // a hint for readers of streams; opcodes may not depend on it
        return true;
      case kGlobal: {
        const std::string module(Line());
        Push(AddGlobal(module, Line()));
        return true;
      }
      case kStackGlobal:
        StackGlobal();
        return true;
      case kReduce:
      case kNewObj: {
        const PickleRef arguments = Pop();
        PushCall(Pop(), arguments);
        return true;
      }
      case kNewObjEx: {
        const PickleRef keywords = Pop();
        const PickleRef arguments = Pop();
        const PickleRef both = AddItems(PickleType::kTuple, {arguments, keywords});
        PushCall(Pop(), both);
        return true;
      }
      case kInst: {
        const std::string module(Line());
        const PickleRef callable = AddGlobal(module, Line());
        PushCall(callable, AddItems(PickleType::kTuple, PopMark()));
        return true;
      }
      case kObj: {
        std::vector<PickleRef> items = PopMark();
        if (items.empty()) Refuse("makes an object of no class");
        const PickleRef callable = items.front();
        items.erase(items.begin());
        PushCall(callable, AddItems(PickleType::kTuple, std::move(items)));
        return true;
      }
      case kBuild: {
        const PickleRef state = Pop();
        const PickleRef object = Top();
        // A dict's attributes (a state dict's versions) say nothing of its items.
        if (Is(object, PickleType::kCall)) {
          Extend(object, PickleType::kCall, std::span(&state, 1));
        }
        return true;
      }
      case kBinPersId: {
        const PickleRef id = Pop();
        Push(AddItems(PickleType::kPersistent, {id}));
        return true;
      }
      default:
        return false;
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::set<std::string> globals_;
};

bool Pickle::IsGlobal(PickleRef ref, std::string_view dotted) const {
  return Is(ref, PickleType::kGlobal) && text(ref) == dotted;
}

std::optional<PickleRef> Pickle::Find(PickleRef dict, std::string_view key) const {
  if (!Is(dict, PickleType::kDict)) return std::nullopt;
  const std::span<const PickleRef> pairs = items(dict);
  for (std::size_t i = pairs.size(); i >= 2; i -= 2) {
    if (Is(pairs[i - 2], PickleType::kText) && text(pairs[i - 2]) == key) return pairs[i - 1];
  }
  return std::nullopt;
}

Pickle ReadPickle(std::string_view bytes) {
  return PickleMachine(bytes).Run();
}

}  // namespace weightsmith
