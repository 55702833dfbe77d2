// Which of the dicts in a checkpoint holds the weights, among what trainers keep beside them.
#pragma once

#include <string>

#include "core/formats/torch/pickle.h"
#include "core/formats/torch/torch_calls.h"

namespace weightsmith::internal {

struct StateDict {
  PickleRef dict = 0;
  bool arrays = false;  ///< its values are arrays of numpy; then no tensor of torch is in the file
};

/// The dict under `key`; the names of dicts in dicts are joined by dots. Without a key: under one
/// of the names that trainers use, else the whole, else the only dict of tensors. Throws kMismatch,
/// naming all of them, where there are several or none has the key, kInput where there is none.
StateDict FindStateDict(const Pickle& pickle, TensorHolders& holders, const std::string& key);

}  // namespace weightsmith::internal
