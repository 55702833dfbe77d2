// What a long computation between two passes may ask of its run.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace weightsmith::internal {

/// Called every few milliseconds by what takes long between two passes; throws where the run is to
/// end.
class Poll {
 public:
  /// What a part of a loop does, by its number.
  using Part = std::function<void(std::size_t part)>;
  /// Calls a part for each number below `count`, in any order and from any threads, and returns
  /// when all have ended. What one throws comes through, and then others may not have been called.
  using Share = std::function<void(std::size_t count, const Part& part)>;

  /// Where there is one thread.
  template <class Check>
  requires std::invocable<Check&> &&(!std::same_as<std::remove_cvref_t<Check>, Poll>)explicit(false)
      Poll(Check&& check)
      : check_(std::forward<Check>(check)) {}
  Poll(std::function<void()> check, Share share)
      : check_(std::move(check)), share_(std::move(share)) {}

  void operator()() const { check_(); }

  /// A loop whose parts do not depend on each other, on all threads that have nothing else to do.
  /// Polls before each part.
  void ForEach(std::size_t count, const Part& part) const {
    const auto checked = [&](std::size_t number) {
      check_();
      part(number);
    };
    if (share_ && count > 1) return share_(count, checked);
    for (std::size_t number = 0; number < count; ++number) checked(number);
  }

  /// Calls `use(first, count)` for ranges that make up 0 to size - 1, shared as ForEach shares
  /// parts; each takes some milliseconds where an element takes one or two nanoseconds.
  template <class Use>
  void ForRanges(std::size_t size, const Use& use) const {
    ForEach((size + kRange - 1) / kRange, [&](std::size_t number) {
      use(number * kRange, std::min(kRange, size - number * kRange));
    });
  }

  /// Makes a vector so long, with zeros behind what it has, and polls meanwhile.
  template <class Vector>
  void Extend(Vector& values, std::size_t size) const {
    values.reserve(size);
    while (values.size() < size) {
      check_();
      values.resize(std::min(values.size() + kRange, size));
    }
  }

 private:
  static constexpr std::size_t kRange = std::size_t{1} << 20;

  std::function<void()> check_;
  Share share_;
};

}  // namespace weightsmith::internal
