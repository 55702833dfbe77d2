// The calls in a pickle that make tensors, found without making any.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/formats/torch/pickle.h"

namespace weightsmith::internal {

/// How deep dicts and calls in each other are followed.
inline constexpr int kDeepestTorchValue = 16;

struct PickleCall {
  std::string_view callable;
  std::span<const PickleRef> arguments;
};

/// A call of a global with a tuple of arguments; nothing for everything else.
std::optional<PickleCall> AsCall(const Pickle& pickle, PickleRef ref);

/// The call that makes the tensor itself: parameters and subclasses wrap it.
std::optional<PickleCall> TensorCall(const Pickle& pickle, PickleRef ref);

/// A dict's key as a name; nothing for what is neither text nor an integer.
std::optional<std::string> KeyText(const Pickle& pickle, PickleRef key);

/// What holds tensors. Many places of a pickle may share a value: each is looked at once.
class TensorHolders {
 public:
  explicit TensorHolders(const Pickle& pickle) : pickle_(pickle) {}

  /// What would be called with a tensor, where that is no function of torch that makes tensors.
  std::optional<std::string_view> MadeByCode(PickleRef ref);
  /// Whether a dict has a tensor, or with `arrays` an array of numpy, as a value.
  bool HoldsTensors(PickleRef dict, bool arrays);

 private:
  const Pickle& pickle_;
  std::unordered_map<const PickleRef*, bool> take_tensors_;  ///< by the arguments of a call
  std::unordered_map<PickleRef, bool> hold_[2];              ///< by dict; tensors, arrays
};

}  // namespace weightsmith::internal
