#include "core/torch/tensor_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "core/utf8.h"

namespace weightsmith {
namespace {

struct Named {
  std::string_view name;
  DType dtype;
};

/// torch.FloatStorage and so on.
constexpr Named kStorages[] = {
    {"Double", DType::kF64},    {"Float", DType::kF32},        {"Half", DType::kF16},
    {"BFloat16", DType::kBF16}, {"Long", DType::kI64},         {"Int", DType::kI32},
    {"Short", DType::kI16},     {"Char", DType::kI8},          {"Byte", DType::kU8},
    {"Bool", DType::kBool},     {"ComplexFloat", DType::kC64},
};

constexpr Named kDTypes[] = {
    {"float64", DType::kF64},
    {"float32", DType::kF32},
    {"float16", DType::kF16},
    {"bfloat16", DType::kBF16},
    {"float8_e5m2", DType::kF8E5M2},
    {"float8_e4m3fn", DType::kF8E4M3},
    {"float8_e5m2fnuz", DType::kF8E5M2Fnuz},
    {"float8_e4m3fnuz", DType::kF8E4M3Fnuz},
    {"float8_e8m0fnu", DType::kF8E8M0},
    {"int64", DType::kI64},
    {"int32", DType::kI32},
    {"int16", DType::kI16},
    {"int8", DType::kI8},
    {"uint64", DType::kU64},
    {"uint32", DType::kU32},
    {"uint16", DType::kU16},
    {"uint8", DType::kU8},
    {"bool", DType::kBool},
    {"complex64", DType::kC64},
};

/// Where trainers keep the weights, the first that is there and holds tensors.
constexpr std::string_view kWrappers[] = {
    "state_dict", "model", "module", "params_ema",       "params",
    "weights",    "net",   "ema",    "model_state_dict", "string_to_param"};
constexpr int kDeepest = 16;
/// torch itself has no more.
constexpr std::size_t kMostDimensions = 64;
/// A pickle may hold one dict in many places, and so give more names than it has bytes.
constexpr std::size_t kMostEntries = 8'000'000;

template <std::size_t N>
std::optional<DType> Find(const Named (&table)[N], std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &Named::name);
  if (found == std::end(table)) return std::nullopt;
  return found->dtype;
}

class TableReader {
 public:
  explicit TableReader(const Pickle& pickle) : pickle_(pickle) {}

  TorchTable Read() {
    const std::optional<PickleRef> state = StateDict(pickle_.root(), 0);
    if (!state) {
      throw Error(ErrorCode::kInput, "there is no tensor in it",
                  "It may be a whole module or settings: save its state_dict().");
    }
    ReadDict(*state, "", 0);
    // Old files lay all storages one after the other: the sizes of all are needed.
    for (PickleRef ref = 0; ref < pickle_.count(); ++ref) {
      std::string key;
      if (pickle_.Is(ref, PickleType::kPersistent)) ReadStorage("outside the state dict", ref, key);
    }
    return std::move(table_);
  }

 private:
  struct Call {
    std::string_view callable;
    std::span<const PickleRef> arguments;
  };

  /// A call of a global with a tuple of arguments; nothing for everything else.
  std::optional<Call> AsCall(PickleRef ref) const {
    if (!pickle_.Is(ref, PickleType::kCall)) return std::nullopt;
    const auto items = pickle_.items(ref);
    if (!pickle_.Is(items[0], PickleType::kGlobal)) return std::nullopt;
    if (!pickle_.Is(items[1], PickleType::kTuple)) return std::nullopt;
    return Call{pickle_.text(items[0]), pickle_.items(items[1])};
  }

  /// The call that makes the tensor itself: parameters and subclasses wrap it.
  std::optional<Call> TensorCall(PickleRef ref) const {
    std::optional<Call> call = AsCall(ref);
    for (int depth = 0; call && depth < kDeepest; ++depth) {
      const auto arguments = call->arguments;
      if (call->callable == "torch._utils._rebuild_parameter" ||
          call->callable == "torch._utils._rebuild_parameter_with_state" ||
          call->callable == "torch.nn.parameter.Parameter") {
        if (arguments.empty()) return std::nullopt;
        call = AsCall(arguments[0]);
      } else if (call->callable == "torch._tensor._rebuild_from_type_v2") {
        if (arguments.size() < 3 || !pickle_.Is(arguments[0], PickleType::kGlobal) ||
            !pickle_.Is(arguments[2], PickleType::kTuple)) {
          return std::nullopt;
        }
        call = Call{pickle_.text(arguments[0]), pickle_.items(arguments[2])};
      } else {
        return call->callable.starts_with("torch._utils._rebuild_") ? call : std::nullopt;
      }
    }
    return std::nullopt;
  }

  /// What would be called with a tensor, where that is no function of torch that makes tensors.
  std::optional<std::string_view> MadeByCode(PickleRef ref) {
    const std::optional<Call> call = AsCall(ref);
    if (!call || TensorCall(ref)) return std::nullopt;
    // Many calls may share their arguments, and many places a dict: each is looked at once.
    const auto [known, added] = take_tensors_.try_emplace(call->arguments.data());
    if (added) {
      known->second = std::ranges::any_of(call->arguments, [&](PickleRef argument) {
        return TensorCall(argument).has_value();
      });
    }
    return known->second ? std::optional(call->callable) : std::nullopt;
  }

  bool HoldsTensors(PickleRef dict) {
    const auto [known, added] = hold_tensors_.try_emplace(dict);
    if (!added) return known->second;
    const auto pairs = pickle_.items(dict);
    bool holds = false;
    for (std::size_t i = 1; i < pairs.size() && !holds; i += 2) {
      holds = TensorCall(pairs[i]).has_value() || MadeByCode(pairs[i]).has_value();
    }
    return known->second = holds;
  }

  std::optional<PickleRef> StateDict(PickleRef ref, int depth) {
    if (!pickle_.Is(ref, PickleType::kDict) || depth > kDeepest) return std::nullopt;
    if (!without_state_.insert(ref).second) return std::nullopt;
    for (const std::string_view wrapper : kWrappers) {
      const auto inner = pickle_.Find(ref, wrapper);
      if (!inner) continue;
      if (const auto found = StateDict(*inner, depth + 1)) return found;
    }
    if (HoldsTensors(ref)) return ref;
    return std::nullopt;
  }

  std::optional<std::string> KeyText(PickleRef key) const {
    switch (pickle_.type(key)) {
      case PickleType::kText:
      case PickleType::kBytes:
        return pickle_.text(key);
      case PickleType::kInteger:
        return std::to_string(pickle_.integer(key));
      default:
        return std::nullopt;
    }
  }

  void ReadDict(PickleRef dict, const std::string& prefix, int depth) {
    const auto pairs = pickle_.items(dict);
    entries_ += pairs.size();
    if (entries_ > kMostEntries) Refuse(prefix, "is one of more than any checkpoint has");
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      const std::optional<std::string> key = KeyText(pairs[i]);
      const std::string name = prefix + key.value_or("?");
      const PickleRef value = pairs[i + 1];
      if (key && TensorCall(value)) {
        Keep(ReadTensor(name, *TensorCall(value)));
      } else if (key && pickle_.Is(value, PickleType::kDict) && depth < kDeepest &&
                 HoldsTensors(value)) {
        ReadDict(value, name + ".", depth + 1);
      } else if (const auto code = MadeByCode(value)) {
        Refuse(name,
               fmt::format("would be made by calling {}, and no code of a file is run", *code));
      } else {
        table_.skipped.push_back(name);
      }
    }
  }

  /// Of one name twice, the last counts, as in a dict.
  void Keep(TorchTensor tensor) {
    const auto [place, added] = places_.emplace(tensor.name, table_.tensors.size());
    if (added) {
      table_.tensors.push_back(std::move(tensor));
    } else {
      table_.tensors[place->second] = std::move(tensor);
    }
  }

  [[noreturn]] static void Refuse(const std::string& name, const std::string& problem) {
    throw Error(ErrorCode::kInput, fmt::format("tensor {} {}", Quote(name), problem));
  }

  std::uint64_t Natural(const std::string& name, PickleRef ref) const {
    if (!pickle_.Is(ref, PickleType::kInteger) || pickle_.integer(ref) < 0) {
      Refuse(name, "has a size, stride or offset that is no natural number");
    }
    return static_cast<std::uint64_t>(pickle_.integer(ref));
  }

  std::vector<std::uint64_t> Naturals(const std::string& name, PickleRef ref) const {
    const std::optional<Call> size = AsCall(ref);  // torch.Size((…,))
    if (size && size->callable == "torch.Size" && size->arguments.size() == 1) {
      ref = size->arguments[0];
    }
    if (!pickle_.Is(ref, PickleType::kTuple)) Refuse(name, "has no tuple of sizes");
    if (pickle_.items(ref).size() > kMostDimensions) {
      Refuse(name, fmt::format("has more than {} dimensions", kMostDimensions));
    }
    std::vector<std::uint64_t> numbers;
    for (const PickleRef item : pickle_.items(ref)) numbers.push_back(Natural(name, item));
    return numbers;
  }

  TorchTensor ReadTensor(const std::string& name, const Call& call) {
    if (FindInvalidUtf8(name) != std::string_view::npos) Refuse(name, "has a name that is no text");
    if (name == "__metadata__") Refuse(name, "has a name that safetensors keeps for itself");
    const bool typed = call.callable == "torch._utils._rebuild_tensor_v2" ||
                       call.callable == "torch._utils._rebuild_tensor";
    const bool untyped = call.callable == "torch._utils._rebuild_tensor_v3";
    if (!typed && !untyped) {
      Refuse(name, fmt::format("is made by {}: sparse, quantised and device tensors are not read",
                               Quote(call.callable)));
    }
    if (call.arguments.size() < (untyped ? 7u : 4u)) Refuse(name, "is described in part only");
    TorchTensor tensor;
    tensor.name = name;
    const TorchStorage& storage = ReadStorage(name, call.arguments[0], tensor.storage);
    tensor.info.dtype =
        untyped ? ReadDType(name, call.arguments[6]) : storage.dtype.value_or(DType::kU8);
    tensor.offset = Natural(name, call.arguments[1]);
    tensor.info.shape = Naturals(name, call.arguments[2]);
    tensor.strides = Naturals(name, call.arguments[3]);
    const std::size_t flags = untyped ? 7 : 6;
    if (call.arguments.size() > flags) ExpectPlain(name, call.arguments[flags]);
    ExpectInside(tensor, storage);
    return tensor;
  }

  DType ReadDType(const std::string& name, PickleRef ref) const {
    constexpr std::string_view kModule = "torch.";
    if (pickle_.Is(ref, PickleType::kGlobal) && pickle_.text(ref).starts_with(kModule)) {
      const auto dtype = Find(kDTypes, std::string_view(pickle_.text(ref)).substr(kModule.size()));
      if (dtype) return *dtype;
    }
    Refuse(name, "is of a dtype that safetensors does not have");
  }

  /// A lazy conjugate or negative would have to be computed.
  void ExpectPlain(const std::string& name, PickleRef flags) const {
    if (!pickle_.Is(flags, PickleType::kDict)) return;
    const auto pairs = pickle_.items(flags);
    for (std::size_t i = 1; i < pairs.size(); i += 2) {
      if (pickle_.Is(pairs[i], PickleType::kBool) && pickle_.integer(pairs[i]) != 0) {
        Refuse(name, "is a lazy conjugate or negative");
      }
    }
  }

  const TorchStorage& ReadStorage(const std::string& name, PickleRef ref, std::string& key) {
    // _rebuild_tensor of old files takes the storage itself, of new ones a typed one around it.
    if (const auto call = AsCall(ref); call && !call->arguments.empty()) ref = call->arguments[0];
    if (!pickle_.Is(ref, PickleType::kPersistent)) Refuse(name, "has no storage");
    const PickleRef id = pickle_.items(ref)[0];
    const auto parts =
        pickle_.Is(id, PickleType::kTuple) ? pickle_.items(id) : std::span<const PickleRef>();
    if (parts.size() < 5 || KeyText(parts[0]) != "storage" || !KeyText(parts[2])) {
      Refuse(name, "has a storage of another form than torch writes");
    }
    if (parts.size() > 5 && !pickle_.Is(parts[5], PickleType::kNone)) {
      Refuse(name, "is a view of a storage in the manner of torch before 0.4");
    }
    key = *KeyText(parts[2]);
    const TorchStorage storage{StorageDType(name, parts[1]), Natural(name, parts[4])};
    const auto [found, added] = table_.storages.emplace(key, storage);
    if (found->second.dtype != storage.dtype || found->second.count != storage.count) {
      Refuse(name,
             fmt::format("has a storage {} that another tensor describes otherwise", Quote(key)));
    }
    if (storage.count > ~std::uint64_t{0} / 16) Refuse(name, "has a storage beyond all size");
    return found->second;
  }

  std::optional<DType> StorageDType(const std::string& name, PickleRef ref) const {
    if (pickle_.Is(ref, PickleType::kGlobal)) {
      std::string_view text = pickle_.text(ref);
      if (text == "torch.storage.UntypedStorage" || text == "torch.UntypedStorage") {
        return std::nullopt;
      }
      constexpr std::string_view kEnd = "Storage";
      for (const std::string_view module : {"torch.cuda.", "torch."}) {
        if (!text.starts_with(module) || !text.ends_with(kEnd)) continue;
        text.remove_prefix(module.size());
        text.remove_suffix(kEnd.size());
        if (const auto dtype = Find(kStorages, text)) return dtype;
        break;
      }
    }
    Refuse(name, "has a storage of a class that is not known");
  }

  static void ExpectInside(const TorchTensor& tensor, const TorchStorage& storage) {
    const Shape& shape = tensor.info.shape;
    if (shape.size() != tensor.strides.size())
      Refuse(tensor.name, "has not one stride a dimension");
    const auto elements = ElementCount(shape);
    const std::uint64_t size = Info(tensor.info.dtype).bits / 8;
    if (!elements || *elements > ~std::uint64_t{0} / 16) Refuse(tensor.name, "is beyond all size");
    if (*elements == 0) return;
    std::uint64_t last = tensor.offset;
    bool overflow = false;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      std::uint64_t step = 0;
      overflow = overflow || __builtin_mul_overflow(shape[i] - 1, tensor.strides[i], &step) ||
                 __builtin_add_overflow(last, step, &last);
    }
    if (overflow || last >= storage.bytes() / size) {
      Refuse(tensor.name, "reaches beyond its storage");
    }
  }

  const Pickle& pickle_;
  TorchTable table_;
  std::unordered_map<std::string, std::size_t> places_;
  std::unordered_map<const PickleRef*, bool> take_tensors_;  ///< by the arguments of a call
  std::unordered_map<PickleRef, bool> hold_tensors_;         ///< by dict
  std::unordered_set<PickleRef> without_state_;              ///< dicts that StateDict has tried
  std::size_t entries_ = 0;
};

}  // namespace

TorchTable ReadTensorTable(const Pickle& pickle) {
  return TableReader(pickle).Read();
}

}  // namespace weightsmith
