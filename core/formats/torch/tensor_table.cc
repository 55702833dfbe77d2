#include "core/formats/torch/tensor_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "core/formats/torch/numpy_array.h"
#include "core/formats/torch/state_dict.h"
#include "core/formats/torch/torch_calls.h"

namespace weightsmith::internal {
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

constexpr Named kTorchDTypes[] = {
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

/// torch itself has no more.
constexpr std::size_t kMostDimensions = 64;
/// A pickle may hold one dict in many places, and so give more names than it has bytes.
constexpr std::size_t kMostEntries = 8'000'000;
constexpr std::size_t kMostNameBytes = std::size_t{1} << 30;

template <std::size_t N>
std::optional<DType> Find(const Named (&table)[N], std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &Named::name);
  if (found == std::end(table)) return std::nullopt;
  return found->dtype;
}

class TableReader {
 public:
  explicit TableReader(const Pickle& pickle) : pickle_(pickle), holders_(pickle) {}

  TorchTable Read(const std::string& key) {
    const StateDict state = FindStateDict(pickle_, holders_, key);
    arrays_ = state.arrays;
    ReadDict(state.dict, "", 0);
    ReadStorages();
    return std::move(table_);
  }

  /// Old files lay all storages one after the other: the sizes of all are needed.
  std::map<std::string, TorchStorage> ReadStorages() {
    for (PickleRef ref = 0; ref < pickle_.count(); ++ref) {
      if (!pickle_.Is(ref, PickleType::kPersistent) || IsModuleClass(ref)) continue;
      ReadStorage("outside the state dict", ref);
    }
    return table_.storages;
  }

 private:
  /// A storage, or the part of it that a view has, in elements.
  struct Part {
    std::string key;
    TorchStorage storage;
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
  };

  /// In old files the class of a module is said with its source: ('module', class, …).
  bool IsModuleClass(PickleRef persistent) const {
    const PickleRef id = pickle_.items(persistent)[0];
    return pickle_.Is(id, PickleType::kTuple) && !pickle_.items(id).empty() &&
           KeyText(pickle_, pickle_.items(id)[0]) == "module";
  }

  void ReadDict(PickleRef dict, const std::string& prefix, int depth) {
    const auto pairs = pickle_.items(dict);
    entries_ += pairs.size();
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      const std::optional<std::string> key = KeyText(pickle_, pairs[i]);
      const std::string name = prefix + key.value_or("?");
      name_bytes_ += name.size();
      if (entries_ > kMostEntries || name_bytes_ > kMostNameBytes) {
        Refuse(prefix, "is one of more than any checkpoint has");
      }
      const PickleRef value = pairs[i + 1];
      if (key && TensorCall(pickle_, value)) {
        Keep(ReadTensor(name, *TensorCall(pickle_, value)));
      } else if (key && arrays_ && IsNumpyArray(pickle_, value)) {
        Keep(ReadArray(name, value));
      } else if (key && pickle_.Is(value, PickleType::kDict) && depth < kDeepestTorchValue &&
                 holders_.HoldsTensors(value, arrays_)) {
        ReadDict(value, name + ".", depth + 1);
      } else if (const auto code = holders_.MadeByCode(value)) {
        Refuse(name,
               fmt::format("would be made by calling {}, and no code of a file is run", *code));
      } else {
        table_.skipped.push_back(name);
      }
    }
  }

  static void ExpectName(const std::string& name) {
    if (FindInvalidUtf8(name) != std::string_view::npos) Refuse(name, "has a name that is no text");
    if (name == "__metadata__") Refuse(name, "has a name that safetensors keeps for itself");
  }

  TorchTensor ReadArray(const std::string& name, PickleRef ref) {
    ExpectName(name);
    NumpyArray array = ReadNumpyArray(pickle_, ref, name);
    TorchTensor tensor;
    tensor.name = name;
    tensor.info = std::move(array.info);
    tensor.strides.assign(tensor.info.shape.size(), 0);
    std::uint64_t step = 1;
    for (std::size_t i = 0; i < tensor.strides.size(); ++i) {
      const std::size_t axis = array.columns_first ? i : tensor.strides.size() - 1 - i;
      tensor.strides[axis] = step;
      step *= tensor.info.shape[axis];
    }
    // Parts of other arrays would be misaligned, were each not rounded up.
    table_.array_bytes.resize((table_.array_bytes.size() + 15) / 16 * 16);
    tensor.in_arrays = true;
    tensor.offset = table_.array_bytes.size();
    table_.array_bytes += array.bytes;
    return tensor;
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
    const std::optional<PickleCall> size = AsCall(pickle_, ref);  // torch.Size((…,))
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

  TorchTensor ReadTensor(const std::string& name, const PickleCall& call) {
    ExpectName(name);
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
    const Part part = ReadStorage(name, call.arguments[0]);
    tensor.storage = part.key;
    tensor.info.dtype =
        untyped ? ReadDType(name, call.arguments[6]) : part.storage.dtype.value_or(DType::kU8);
    tensor.offset = Natural(name, call.arguments[1]);
    tensor.info.shape = Naturals(name, call.arguments[2]);
    tensor.strides = Naturals(name, call.arguments[3]);
    const std::size_t flags = untyped ? 7 : 6;
    if (call.arguments.size() > flags) ExpectPlain(name, call.arguments[flags]);
    ExpectInside(tensor, part);
    tensor.offset += part.offset;
    return tensor;
  }

  DType ReadDType(const std::string& name, PickleRef ref) const {
    constexpr std::string_view kModule = "torch.";
    if (pickle_.Is(ref, PickleType::kGlobal) && pickle_.text(ref).starts_with(kModule)) {
      const auto dtype =
          Find(kTorchDTypes, std::string_view(pickle_.text(ref)).substr(kModule.size()));
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

  Part ReadStorage(const std::string& name, PickleRef ref) {
    // _rebuild_tensor of old files takes the storage itself, of new ones a typed one around it.
    if (const auto call = AsCall(pickle_, ref); call && !call->arguments.empty()) {
      ref = call->arguments[0];
    }
    if (!pickle_.Is(ref, PickleType::kPersistent)) Refuse(name, "has no storage");
    const PickleRef id = pickle_.items(ref)[0];
    const auto parts =
        pickle_.Is(id, PickleType::kTuple) ? pickle_.items(id) : std::span<const PickleRef>();
    if (parts.size() < 5 || parts.size() > 6 || KeyText(pickle_, parts[0]) != "storage" ||
        !KeyText(pickle_, parts[2])) {
      Refuse(name, "has a storage of another form than torch writes");
    }
    Part part;
    part.key = *KeyText(pickle_, parts[2]);
    part.storage = {StorageDType(name, parts[1]), Natural(name, parts[4])};
    part.count = part.storage.count;
    const auto [found, added] = table_.storages.emplace(part.key, part.storage);
    if (found->second.dtype != part.storage.dtype || found->second.count != part.storage.count) {
      Refuse(name, fmt::format("has a storage {} that another tensor describes otherwise",
                               Quote(part.key)));
    }
    if (part.storage.count > ~std::uint64_t{0} / 16) Refuse(name, "has a storage beyond all size");
    if (parts.size() > 5 && !pickle_.Is(parts[5], PickleType::kNone)) {
      ReadView(name, parts[5], part);
    }
    return part;
  }

  /// Before torch 0.4, storages could be parts of others: (key, offset, size).
  void ReadView(const std::string& name, PickleRef ref, Part& part) const {
    const auto view =
        pickle_.Is(ref, PickleType::kTuple) ? pickle_.items(ref) : std::span<const PickleRef>();
    if (view.size() != 3) Refuse(name, "has a storage of another form than torch writes");
    part.offset = Natural(name, view[1]);
    part.count = Natural(name, view[2]);
    if (part.offset > part.storage.count || part.count > part.storage.count - part.offset) {
      Refuse(name, "reaches beyond its storage");
    }
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

  static void ExpectInside(const TorchTensor& tensor, const Part& part) {
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
    const TorchStorage own{part.storage.dtype, part.count};
    if (overflow || last >= own.bytes() / size) {
      Refuse(tensor.name, "reaches beyond its storage");
    }
  }

  const Pickle& pickle_;
  TensorHolders holders_;
  TorchTable table_;
  bool arrays_ = false;
  std::size_t entries_ = 0;
  std::size_t name_bytes_ = 0;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

TorchTable ReadTensorTable(const Pickle& pickle, const std::string& key) {
  return TableReader(pickle).Read(key);
}

std::map<std::string, TorchStorage> ReadStorages(const Pickle& pickle) {
  return TableReader(pickle).ReadStorages();
}

}  // namespace weightsmith::internal
