#include "core/formats/torch/torch_calls.h"

#include <algorithm>

#include "core/formats/torch/numpy_array.h"

namespace weightsmith::internal {

std::optional<PickleCall> AsCall(const Pickle& pickle, PickleRef ref) {
  if (!pickle.Is(ref, PickleType::kCall)) return std::nullopt;
  const auto items = pickle.items(ref);
  if (!pickle.Is(items[0], PickleType::kGlobal)) return std::nullopt;
  if (!pickle.Is(items[1], PickleType::kTuple)) return std::nullopt;
  return PickleCall{pickle.text(items[0]), pickle.items(items[1])};
}

std::optional<PickleCall> TensorCall(const Pickle& pickle, PickleRef ref) {
  std::optional<PickleCall> call = AsCall(pickle, ref);
  for (int depth = 0; call && depth < kDeepestTorchValue; ++depth) {
    const auto arguments = call->arguments;
    if (call->callable == "torch._utils._rebuild_parameter" ||
        call->callable == "torch._utils._rebuild_parameter_with_state" ||
        call->callable == "torch.nn.parameter.Parameter") {
      if (arguments.empty()) return std::nullopt;
      call = AsCall(pickle, arguments[0]);
    } else if (call->callable == "torch._tensor._rebuild_from_type_v2") {
      if (arguments.size() < 3 || !pickle.Is(arguments[0], PickleType::kGlobal) ||
          !pickle.Is(arguments[2], PickleType::kTuple)) {
        return std::nullopt;
      }
      call = PickleCall{pickle.text(arguments[0]), pickle.items(arguments[2])};
    } else {
      return call->callable.starts_with("torch._utils._rebuild_") ? call : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> TensorHolders::MadeByCode(PickleRef ref) {
  const std::optional<PickleCall> call = AsCall(pickle_, ref);
  if (!call || TensorCall(pickle_, ref)) return std::nullopt;
  const auto [known, added] = take_tensors_.try_emplace(call->arguments.data());
  if (added) {
    known->second = std::ranges::any_of(call->arguments, [&](PickleRef argument) {
      return TensorCall(pickle_, argument).has_value();
    });
  }
  return known->second ? std::optional(call->callable) : std::nullopt;
}

bool TensorHolders::HoldsTensors(PickleRef dict, bool arrays) {
  const auto [known, added] = hold_[arrays ? 1 : 0].try_emplace(dict);
  if (!added) return known->second;
  const auto pairs = pickle_.items(dict);
  bool holds = false;
  for (std::size_t i = 1; i < pairs.size() && !holds; i += 2) {
    holds = arrays ? IsNumpyArray(pickle_, pairs[i])
                   : TensorCall(pickle_, pairs[i]) || MadeByCode(pairs[i]);
  }
  return known->second = holds;
}

std::optional<std::string> KeyText(const Pickle& pickle, PickleRef key) {
  switch (pickle.type(key)) {
    case PickleType::kText:
    case PickleType::kBytes:
      return pickle.text(key);
    case PickleType::kInteger:
      return std::to_string(pickle.integer(key));
    default:
      return std::nullopt;
  }
}

}  // namespace weightsmith::internal
