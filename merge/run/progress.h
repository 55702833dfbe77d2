// How far a computation is.
#pragma once

#include <chrono>
#include <cstdint>

namespace weightsmith::internal {

struct Progress {
  std::uint64_t bytes_done = 0;  ///< written; of a tensor that takes several passes in equal parts
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_read = 0;
  std::chrono::steady_clock::duration elapsed{};
};

}  // namespace weightsmith::internal
