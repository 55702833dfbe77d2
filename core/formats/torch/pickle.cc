#include "core/formats/torch/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <set>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/torch/globals.h"
#include "core/formats/torch/pickle_opcodes.h"
#include "core/formats/torch/pickle_scalars.h"

namespace weightsmith::internal {
namespace {

// A real checkpoint with its optimizer stays far below it.
constexpr std::size_t kMostOpcodes = 50'000'000;

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

class PickleMachine : PickleScalars {
 public:
  explicit PickleMachine(std::string_view bytes) : PickleScalars(bytes) {}

  Pickle Run() {
    for (std::size_t count = 0;; ++count) {
      if (count == kMostOpcodes) Refuse("has more opcodes than any checkpoint");
      Begin(at());
      if (frame_end_ == at() || lenient()) frame_end_ = 0;
      const auto opcode = static_cast<unsigned char>(Take(1)[0]);
      if (opcode == kStop) break;
      if (!Number(opcode) && !String(opcode) && !Container(opcode) && !Memo(opcode) &&
          !Object(opcode)) {
        Refuse(fmt::format("has the opcode 0x{:02x}, which no checkpoint needs", opcode));
      }
      if (frame_end_ != 0 && at() > frame_end_ && !lenient()) {
        Refuse("has a frame that ends inside an opcode");
      }
    }
    if (frame_end_ != 0 && at() != frame_end_) Refuse("stops before its frame ends");
    return Finish(at(), globals_);
  }

  PickleTrace Trace() {
    BeLenient();
    PickleTrace trace;
    try {
      trace.size = Run().size();
    } catch (const Error& error) {
      trace.problem = error.message();
      trace.cut_off = ran_out();
      trace.beyond_limits = trace.problem.find("any checkpoint") != std::string::npos;
      trace.size = at();
    }
    trace.globals.assign(globals_.begin(), globals_.end());
    return trace;
  }

 private:
  /// Some readers follow frames, others step over them: what they hold must be whole opcodes.
  void BeginFrame() {
    const std::uint64_t size = Little(8);
    if (frame_end_ != 0) Refuse("begins a frame inside a frame");
    if (size > kMostPickleBytes) Refuse("has a frame that is cut off");
    if (size > this->size() - at()) RunOut("has a frame that is cut off");
    if (size != 0) frame_end_ = at() + size;
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
    std::string line(NumberLine());
    if (lenient()) std::erase_if(line, [](char c) { return c < '0' || c > '9'; });
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

  bool IsSequence(PickleRef ref) const {
    return Is(ref, PickleType::kList) || Is(ref, PickleType::kTuple);
  }

  /// What a dict begins with, of the arguments of its class. Python 3 has none and sets the items
  /// afterwards; Python 2 gives its ordered dicts a list of pairs.
  std::vector<PickleRef> FirstItems(PickleRef arguments) {
    if (!IsSequence(arguments) || ItemsOf(arguments).empty()) return {};
    const PickleRef from = ItemsOf(arguments).back();
    if (Is(from, PickleType::kDict)) return ItemsOf(from);
    std::vector<PickleRef> items;
    if (!IsSequence(from)) return items;
    for (const PickleRef pair : ItemsOf(from)) {
      if (!IsSequence(pair) || ItemsOf(pair).size() != 2) continue;
      items.insert(items.end(), ItemsOf(pair).begin(), ItemsOf(pair).end());
    }
    return items;
  }

  /// What an object of an old file says of the class of a module: ('module', class, source …).
  PickleRef ClassOf(PickleRef callable) {
    if (!Is(callable, PickleType::kPersistent)) return callable;
    const PickleRef id = ItemsOf(callable)[0];
    if (!Is(id, PickleType::kTuple) || ItemsOf(id).size() < 2) return callable;
    return ItemsOf(id)[1];
  }

  /// Only a name may be called, and of those that are harmless to name not all are to call.
  void NoteCall(PickleRef callable, PickleRef arguments) {
    callable = ClassOf(callable);
    if (!Is(callable, PickleType::kGlobal)) return Note("calls what is no name of a file");
    const std::string& name = TextOf(callable);
    if (ClassifyGlobal(name) != GlobalSafety::kSafe) return;
    if (!MayBeCalled(name)) return Note(fmt::format("calls {}, which checkpoints only name", name));
    if (name != "torch._tensor._rebuild_from_type_v2") return;
    // It calls its first argument.
    const bool known = IsSequence(arguments) && !ItemsOf(arguments).empty() &&
                       Is(ItemsOf(arguments)[0], PickleType::kGlobal) &&
                       TextOf(ItemsOf(arguments)[0]).starts_with("torch._utils._rebuild_");
    if (!known) Note("calls through " + name + " what makes no tensor");
  }

  /// The result of a call that nobody makes.
  void PushCall(PickleRef callable, PickleRef arguments) {
    NoteCall(callable, arguments);
    if (Is(callable, PickleType::kGlobal) && IsDictClass(TextOf(callable))) {
      return Push(AddItems(PickleType::kDict, FirstItems(arguments)));
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

  void SetAttributes() {
    const PickleRef state = Pop();
    const PickleRef object = Top();
    // A dict's attributes (a state dict's versions) say nothing of its items.
    if (Is(object, PickleType::kCall)) {
      Extend(object, PickleType::kCall, std::span(&state, 1));
    } else if (Is(object, PickleType::kGlobal)) {
      Note("sets attributes of " + TextOf(object));
    } else if (!Is(object, PickleType::kDict)) {
      Note("sets attributes of what has none");
    }
  }

  bool Object(unsigned char opcode) {
    switch (opcode) {
      case kProto:
        if (Little(1) > 5) Refuse("is of a protocol above 5");
        return true;
      case kFrame:
        BeginFrame();
        return true;
      case kGlobal: {
        const std::string module(ModuleLine());
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
        Note("calls with named arguments");
        PushCall(Pop(), both);
        return true;
      }
      case kInst: {
        const std::string module(ModuleLine());
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
      case kBuild:
        SetAttributes();
        return true;
      case kBinPersId: {
        const PickleRef id = Pop();
        Push(AddItems(PickleType::kPersistent, {id}));
        return true;
      }
      default:
        return false;
    }
  }

  std::set<std::string> globals_;
  std::size_t frame_end_ = 0;  ///< 0: outside of frames
};

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

PickleTrace TracePickle(std::string_view bytes) {
  return PickleMachine(bytes).Trace();
}

}  // namespace weightsmith::internal
