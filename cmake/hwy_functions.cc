// Highway's compiled part, as far as it is used here: Debian has it as a shared library alone.
#include <hwy/targets.h>

#include <atomic>
#include <cstdint>

namespace {

/// A target is there if all is there that its functions are compiled for (hwy/ops/set_macros-inl.h,
/// and what later versions add). Other architectures have what they are compiled for.
std::int64_t Detect() {
  std::int64_t targets = HWY_STATIC_TARGET;
#if HWY_ARCH_X86
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("ssse3")) return targets;
  targets |= HWY_SSSE3;
  if (!__builtin_cpu_supports("sse4.1") || !__builtin_cpu_supports("sse4.2") ||
      !__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul")) {
    return targets;
  }
  targets |= HWY_SSE4;
  if (!__builtin_cpu_supports("avx") || !__builtin_cpu_supports("avx2") ||
      !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") ||
      !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c")) {
    return targets;
  }
  targets |= HWY_AVX2;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512cd")) {
    return targets;
  }
  targets |= HWY_AVX3;
#endif
  return targets;
}

std::atomic<std::int64_t> chosen_targets{0};

}  // namespace

namespace hwy {

std::int64_t SupportedTargets() {
  static const std::int64_t detected = Detect();
  const std::int64_t chosen = chosen_targets.load();
  return chosen == 0 ? detected : chosen;
}

void SetSupportedTargetsForTest(std::int64_t targets) {
  chosen_targets.store(targets);
  GetChosenTarget().DeInit();
}

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

}  // namespace hwy
