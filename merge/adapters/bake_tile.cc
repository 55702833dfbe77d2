#include "merge/adapters/bake_tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/adapters/bake_tile.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "merge/adapters/bake_tile-inl.h"

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(BakeAny);

}  // namespace

std::optional<Effect> Bake(const BakeTile& tile) {
  return HWY_DYNAMIC_DISPATCH(BakeAny)(tile);
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
