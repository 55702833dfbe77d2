// What a long computation between two passes may ask of its run.
#pragma once

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

 private:
  std::function<void()> check_;
  Share share_;
};

}  // namespace weightsmith::internal
