#include "core/formats/torch/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/torch/numpy_array.h"

namespace weightsmith::internal {
namespace {

/// Where trainers keep the weights, the first that is there and holds tensors.
constexpr std::string_view kWrappers[] = {
    "state_dict", "model", "module", "params_ema",       "params",
    "weights",    "net",   "ema",    "model_state_dict", "string_to_param"};

/// Longer names are no keys: they would be joined without end.
constexpr std::size_t kLongestKey = 1000;

struct Candidate {
  std::string key;
  PickleRef dict = 0;
};

class Finder {
 public:
  Finder(const Pickle& pickle, TensorHolders& holders, bool arrays)
      : pickle_(pickle), holders_(holders), arrays_(arrays) {}

  /// By the names that trainers use, then the whole.
  std::optional<PickleRef> Usual(PickleRef ref, int depth) {
    if (!pickle_.Is(ref, PickleType::kDict) || depth > kDeepestTorchValue) return std::nullopt;
    if (!tried_.insert(ref).second) return std::nullopt;
    for (const std::string_view wrapper : kWrappers) {
      const auto inner = pickle_.Find(ref, wrapper);
      if (!inner) continue;
      if (const auto found = Usual(*inner, depth + 1)) return found;
    }
    if (holders_.HoldsTensors(ref, arrays_) && !OnlyCounts(ref)) return ref;
    return std::nullopt;
  }

  /// Every dict that holds tensors itself, and is in no other.
  std::vector<Candidate> Candidates() {
    std::vector<Candidate> found;
    Walk(pickle_.root(), "", 0, [&](const std::string& key, PickleRef dict) {
      if (!holders_.HoldsTensors(dict, arrays_) || (key.empty() && OnlyCounts(dict))) return true;
      found.push_back({key, dict});
      return false;
    });
    return found;
  }

  /// The dict under `key`, when there are tensors in it.
  std::optional<PickleRef> At(const std::string& wanted) {
    std::optional<PickleRef> found;
    Walk(pickle_.root(), "", 0, [&](const std::string& key, PickleRef dict) {
      if (key == wanted && HasTensorsInside(dict, 0)) found = dict;
      return true;
    });
    return found;
  }

  /// Tensors in a dict and in the dicts in it, each of which counts once.
  std::size_t Count(PickleRef dict) const {
    std::set<PickleRef> counted;
    return Count(dict, 0, counted);
  }

 private:
  bool IsTensor(PickleRef ref) const {
    return arrays_ ? IsNumpyArray(pickle_, ref) : TensorCall(pickle_, ref).has_value();
  }

  /// One number: a step or a loss that lies beside dicts of weights.
  bool IsCount(PickleRef ref) const {
    const auto call = TensorCall(pickle_, ref);
    if (!call || call->arguments.size() < 3) return false;
    const PickleRef shape = call->arguments[2];
    return pickle_.Is(shape, PickleType::kTuple) &&
           std::ranges::all_of(pickle_.items(shape), [&](PickleRef size) {
             return pickle_.Is(size, PickleType::kInteger) && pickle_.integer(size) == 1;
           });
  }

  /// Whether all tensors of a dict are single numbers, and dicts of tensors lie beside them.
  bool OnlyCounts(PickleRef dict) {
    bool inner = false;
    const auto pairs = pickle_.items(dict);
    for (std::size_t i = 1; i < pairs.size(); i += 2) {
      const bool weight = IsTensor(pairs[i]) && !IsCount(pairs[i]);
      if (weight || holders_.MadeByCode(pairs[i])) return false;
      inner = inner || HasTensorsInside(pairs[i], 0);
    }
    return inner;
  }

  bool HasTensorsInside(PickleRef dict, int depth) {
    if (!pickle_.Is(dict, PickleType::kDict) || depth > kDeepestTorchValue || IsOptimizer(dict)) {
      return false;
    }
    const auto [known, added] = inside_.try_emplace(dict, false);
    if (!added) return known->second;
    bool inside = holders_.HoldsTensors(dict, arrays_);
    const auto pairs = pickle_.items(dict);
    for (std::size_t i = 1; i < pairs.size() && !inside; i += 2) {
      inside = HasTensorsInside(pairs[i], depth + 1);
    }
    return inside_[dict] = inside;
  }

  std::size_t Count(PickleRef dict, int depth, std::set<PickleRef>& counted) const {
    if (depth > kDeepestTorchValue || IsOptimizer(dict) || !counted.insert(dict).second) return 0;
    std::size_t count = 0;
    const auto pairs = pickle_.items(dict);
    for (std::size_t i = 1; i < pairs.size(); i += 2) {
      if (IsTensor(pairs[i])) {
        ++count;
      } else if (pickle_.Is(pairs[i], PickleType::kDict)) {
        count += Count(pairs[i], depth + 1, counted);
      }
    }
    return count;
  }

  bool IsOptimizer(PickleRef dict) const {
    return pickle_.items(dict).size() <= kLongestOptimizer && pickle_.Find(dict, "param_groups") &&
           pickle_.Find(dict, "state");
  }

  /// Every dict in dicts, each once; into those for which `visit` gives true.
  template <class Visit>
  void Walk(PickleRef dict, const std::string& key, int depth, const Visit& visit) {
    if (!pickle_.Is(dict, PickleType::kDict) || depth > kDeepestTorchValue) return;
    if (IsOptimizer(dict) || !walked_.insert(dict).second || !visit(key, dict)) return;
    const auto pairs = pickle_.items(dict);
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      if (!pickle_.Is(pairs[i + 1], PickleType::kDict)) continue;
      const auto name = KeyText(pickle_, pairs[i]);
      if (!name || name->size() > kLongestKey) continue;
      Walk(pairs[i + 1], key.empty() ? *name : key + "." + *name, depth + 1, visit);
    }
  }

  /// Keys and values of the state of an optimizer, which is looked at again and again.
  static constexpr std::size_t kLongestOptimizer = 64;

  const Pickle& pickle_;
  TensorHolders& holders_;
  bool arrays_;
  std::set<PickleRef> walked_;
  std::set<PickleRef> tried_;
  std::unordered_map<PickleRef, bool> inside_;
};

std::string Listed(const Finder& finder, const std::vector<Candidate>& candidates) {
  constexpr std::size_t kShown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(candidates.size(), kShown); ++i) {
    text += fmt::format("{}{} ({} tensors)", i > 0 ? ", " : "", Quote(candidates[i].key),
                        FormatCount(finder.Count(candidates[i].dict)));
  }
  if (candidates.size() > kShown) text += fmt::format(" and {} more", candidates.size() - kShown);
  return text;
}

std::optional<PickleRef> Find(const Pickle& pickle, TensorHolders& holders, bool arrays,
                              const std::string& key) {
  if (key.empty()) {
    const auto usual = Finder(pickle, holders, arrays).Usual(pickle.root(), 0);
    if (usual) return usual;
  } else if (const auto found = Finder(pickle, holders, arrays).At(key)) {
    return found;
  }
  Finder finder(pickle, holders, arrays);
  const std::vector<Candidate> candidates = finder.Candidates();
  if (candidates.empty()) return std::nullopt;
  if (key.empty() && candidates.size() == 1) return candidates.front().dict;
  if (!key.empty()) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("there are no tensors under the key {}; it holds {}", Quote(key),
                            Listed(finder, candidates)));
  }
  throw Error(ErrorCode::kMismatch,
              fmt::format("it holds several dicts of tensors: {}", Listed(finder, candidates)),
              "Choose one by its key; in a recipe: {path: FILE, key: KEY}.");
}

}  // namespace

StateDict FindStateDict(const Pickle& pickle, TensorHolders& holders, const std::string& key) {
  for (const bool arrays : {false, true}) {
    if (const auto dict = Find(pickle, holders, arrays, key)) return {*dict, arrays};
  }
  throw Error(ErrorCode::kInput, "there is no tensor in it",
              "It may be a whole module or settings: save its state_dict().");
}

}  // namespace weightsmith::internal
