#include "core/base/simd.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>

#include "core/base/error.h"
#include "core/base/text.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/base/simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

std::int64_t Target() {
  return HWY_TARGET;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(Target);

// Found before any forcing, which hides the others from Highway.
const std::vector<std::int64_t>& Targets() {
  static const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::vector<std::string> SimdTargets() {
  std::vector<std::string> names;
  for (const std::int64_t target : Targets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

std::string SimdTarget() {
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(Target)());
}

void ForceSimdTarget(std::string_view name) {
  std::int64_t mask = 0;
  for (const std::int64_t target : Targets()) {
    if (SameIgnoringCase(name, hwy::TargetName(target))) mask = target;
  }
  if (mask == 0 && !name.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("this CPU and build have no instruction set {}", Quote(name)),
                fmt::format("There are: {}.", fmt::join(SimdTargets(), ", ")));
  }
  hwy::SetSupportedTargetsForTest(mask);
}

}  // namespace weightsmith::internal
#endif
