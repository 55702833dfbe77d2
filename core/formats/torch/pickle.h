// Pickles, read as data: an interpreter of the opcodes that builds values and never imports, calls
// or looks up anything. What would be called elsewhere becomes a value that says so.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

/// Pickles of the largest checkpoints, optimizers included, have less than 10 MB.
inline constexpr std::uint64_t kLargestPickle = std::uint64_t{64} << 20;

using PickleRef = std::uint32_t;

enum class PickleType : std::uint8_t {
  kNone,
  kBool,
  kInteger,  ///< of 64 bits; longer ones are bytes
  kFloat,
  kBytes,
  kText,
  kTuple,
  kList,
  kDict,  ///< key, value, key, value …
  kSet,
  kGlobal,      ///< text: "module name"
  kPersistent,  ///< one item: what identifies it
  kCall,        ///< callable, arguments, then whatever was attached to the result
};

/// What one pickle describes. Values are numbered: containers may hold themselves.
class Pickle {
 public:
  struct Value {
    PickleType type = PickleType::kNone;
    std::uint32_t place = 0;  ///< of its text or its items
    std::int64_t integer = 0;
    double real = 0;
  };

  PickleRef root() const { return root_; }
  /// How many values there are: references are below it.
  PickleRef count() const { return static_cast<PickleRef>(values_.size()); }
  /// Bytes that the pickle takes, its STOP included.
  std::size_t size() const { return size_; }

  PickleType type(PickleRef ref) const { return values_[ref].type; }
  bool Is(PickleRef ref, PickleType type) const { return values_[ref].type == type; }
  std::int64_t integer(PickleRef ref) const { return values_[ref].integer; }
  /// Of text, bytes and globals.
  const std::string& text(PickleRef ref) const { return texts_[values_[ref].place]; }
  /// Of containers, persistents and calls.
  std::span<const PickleRef> items(PickleRef ref) const { return items_[values_[ref].place]; }
  /// The value of a dict's last key that is this text.
  std::optional<PickleRef> Find(PickleRef dict, std::string_view key) const;
  /// Of every global that the pickle names, each once, sorted: "os.system".
  const std::vector<std::string>& globals() const { return globals_; }
  /// What it does with them beside calling them with values, which no checkpoint needs: "sets
  /// attributes of os.path".
  const std::vector<std::string>& oddities() const { return oddities_; }

 private:
  friend class PickleBuilder;
  std::vector<Value> values_;
  std::vector<std::string> texts_;
  std::vector<std::vector<PickleRef>> items_;
  std::vector<std::string> globals_;
  std::vector<std::string> oddities_;
  PickleRef root_ = 0;
  std::size_t size_ = 0;
};

/// Reads the pickle that `bytes` begins with, protocols 0 to 5. Throws kInput, naming the byte, for
/// one that is cut off or malformed, uses extension codes or buffers outside of it, is larger than
/// any checkpoint's, or that two readers of pickles could take differently.
Pickle ReadPickle(std::string_view bytes);

/// How far a reader of pickles would come in bytes that may be none.
struct PickleTrace {
  std::vector<std::string> globals;  ///< what it would have imported by then, sorted
  std::string problem;               ///< where it ends early; empty: it reached the STOP
  bool cut_off = false;              ///< the problem: there are no more bytes
  bool beyond_limits = false;        ///< the problem: it is larger than is followed
  std::size_t size = 0;              ///< bytes up to there
};
PickleTrace TracePickle(std::string_view bytes);

}  // namespace weightsmith::internal
