#include "core/formats/torch/numpy_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/torch/torch_calls.h"

namespace weightsmith::internal {
namespace {

struct NamedDType {
  std::string_view name;
  DType dtype;
};
constexpr NamedDType kNumpyDTypes[] = {
    {"f8", DType::kF64}, {"f4", DType::kF32}, {"f2", DType::kF16}, {"i8", DType::kI64},
    {"i4", DType::kI32}, {"i2", DType::kI16}, {"i1", DType::kI8},  {"u8", DType::kU64},
    {"u4", DType::kU32}, {"u2", DType::kU16}, {"u1", DType::kU8},  {"b1", DType::kBool},
    {"c8", DType::kC64},
};

/// numpy.core until numpy 2, numpy._core since.
bool IsFunction(std::string_view callable, std::string_view name) {
  for (const std::string_view package : {"numpy.core.", "numpy._core."}) {
    if (callable.starts_with(package) && callable.substr(package.size()) == name) return true;
  }
  return false;
}

/// (version, shape, dtype, order, bytes): what BUILD gives to the result of _reconstruct;
/// or (bytes, dtype, shape, order): the arguments of _frombuffer.
struct Parts {
  PickleRef shape;
  PickleRef dtype;
  bool columns_first;
  PickleRef bytes;
};

std::optional<Parts> PartsOf(const Pickle& pickle, PickleRef ref) {
  const auto call = AsCall(pickle, ref);
  if (!call) return std::nullopt;
  const auto arguments = call->arguments;
  if (IsFunction(call->callable, "numeric._frombuffer")) {
    if (arguments.size() != 4) return std::nullopt;
    const bool columns_first =
        pickle.Is(arguments[3], PickleType::kText) && pickle.text(arguments[3]) == "F";
    return Parts{arguments[2], arguments[1], columns_first, arguments[0]};
  }
  const auto items = pickle.items(ref);
  if (!IsFunction(call->callable, "multiarray._reconstruct") || items.size() != 3 ||
      !pickle.Is(items[2], PickleType::kTuple) || pickle.items(items[2]).size() != 5) {
    return std::nullopt;
  }
  const auto state = pickle.items(items[2]);
  const bool columns_first =
      pickle.Is(state[3], PickleType::kBool) && pickle.integer(state[3]) != 0;
  return Parts{state[1], state[2], columns_first, state[4]};
}

class ArrayReader {
 public:
  ArrayReader(const Pickle& pickle, const std::string& name) : pickle_(pickle), name_(name) {}

  NumpyArray Read(const Parts& parts) const {
    NumpyArray array;
    array.name = name_;
    array.info.dtype = ReadDType(parts.dtype);
    if (!pickle_.Is(parts.shape, PickleType::kTuple)) Refuse("has no tuple of sizes");
    constexpr std::size_t kMostDimensions = 64;
    if (pickle_.items(parts.shape).size() > kMostDimensions) Refuse("has more than 64 dimensions");
    for (const PickleRef size : pickle_.items(parts.shape)) {
      if (!pickle_.Is(size, PickleType::kInteger) || pickle_.integer(size) < 0) {
        Refuse("has a size that is no natural number");
      }
      array.info.shape.push_back(static_cast<std::uint64_t>(pickle_.integer(size)));
    }
    array.columns_first = parts.columns_first;
    array.bytes = ReadBytes(parts.bytes);
    const auto elements = ElementCount(array.info.shape);
    if (!elements || *elements > ~std::uint64_t{0} / 16 ||
        array.info.bytes() != array.bytes.size()) {
      Refuse("has another number of bytes than its shape needs");
    }
    return array;
  }

 private:
  [[noreturn]] void Refuse(const std::string& problem) const {
    throw Error(ErrorCode::kInput, fmt::format("the numpy array {} {}", Quote(name_), problem));
  }

  DType ReadDType(PickleRef ref) const {
    const auto call = AsCall(pickle_, ref);
    if (!call || call->callable != "numpy.dtype" || call->arguments.empty() ||
        !pickle_.Is(call->arguments[0], PickleType::kText)) {
      Refuse("is of a dtype that safetensors does not have");
    }
    const std::string& word = pickle_.text(call->arguments[0]);
    const auto* const found =
        std::ranges::find(kNumpyDTypes, std::string_view(word), &NamedDType::name);
    if (found == std::end(kNumpyDTypes)) {
      Refuse(fmt::format("is of the dtype {}, which safetensors does not have", Quote(word)));
    }
    // (version, order …): what BUILD gives to it.
    const auto items = pickle_.items(ref);
    const bool state = items.size() > 2 && pickle_.Is(items[2], PickleType::kTuple) &&
                       pickle_.items(items[2]).size() > 1 &&
                       pickle_.Is(pickle_.items(items[2])[1], PickleType::kText);
    if (!state || pickle_.text(pickle_.items(items[2])[1]) == ">") {
      Refuse("does not say that its byte order is little");
    }
    return found->dtype;
  }

  /// Protocols that have no bytes write them as text, each byte a character of Latin-1.
  std::string ReadBytes(PickleRef ref) const {
    if (pickle_.Is(ref, PickleType::kBytes) || pickle_.Is(ref, PickleType::kText)) {
      return pickle_.text(ref);
    }
    const auto call = AsCall(pickle_, ref);
    if (call && call->callable == "builtins.bytes" && call->arguments.empty()) return {};
    if (call && call->callable == "builtins.bytearray" && call->arguments.size() == 1) {
      return ReadBytes(call->arguments[0]);
    }
    if (!call || call->callable != "_codecs.encode" || call->arguments.size() != 2 ||
        !pickle_.Is(call->arguments[0], PickleType::kText)) {
      Refuse("is made of Python objects and not of numbers");
    }
    return Latin1(pickle_.text(call->arguments[0]));
  }

  std::string Latin1(std::string_view utf8) const {
    std::string bytes;
    bytes.reserve(utf8.size());
    for (std::size_t i = 0; i < utf8.size(); ++i) {
      const auto byte = static_cast<unsigned char>(utf8[i]);
      if (byte < 0x80) {
        bytes += utf8[i];
        continue;
      }
      const bool two = (byte == 0xC2 || byte == 0xC3) && i + 1 < utf8.size();
      if (!two) Refuse("has text where its bytes should be");
      bytes += static_cast<char>((byte & 0x03) << 6 | (utf8[++i] & 0x3F));
    }
    return bytes;
  }

  const Pickle& pickle_;
  const std::string& name_;
};

}  // namespace

bool IsNumpyArray(const Pickle& pickle, PickleRef ref) {
  return PartsOf(pickle, ref).has_value();
}

NumpyArray ReadNumpyArray(const Pickle& pickle, PickleRef ref, const std::string& name) {
  return ArrayReader(pickle, name).Read(*PartsOf(pickle, ref));
}

}  // namespace weightsmith::internal
