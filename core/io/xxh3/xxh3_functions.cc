// Compiled once for each instruction set, with WEIGHTSMITH_XXH3 naming the table. Nothing here may
// use the standard library: an inline function of it that was compiled for a wider instruction set
// could replace everybody's.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/io/xxh3/xxh3.h"

namespace weightsmith::internal {
namespace {

static_assert(sizeof(XXH3_state_t) == kXxh3StateSize);
static_assert(alignof(XXH3_state_t) == kXxh3StateAlignment);

void Store(XXH128_hash_t hash, std::uint8_t* digest) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  for (std::size_t i = 0; i < sizeof(canonical.digest); ++i) digest[i] = canonical.digest[i];
}

void Hash(const void* bytes, std::size_t size, std::uint8_t* digest) {
  Store(XXH3_128bits(bytes, size), digest);
}

void Reset(void* state) {
  XXH3_128bits_reset(static_cast<XXH3_state_t*>(state));
}

void Update(void* state, const void* bytes, std::size_t size) {
  XXH3_128bits_update(static_cast<XXH3_state_t*>(state), bytes, size);
}

void Finish(const void* state, std::uint8_t* digest) {
  Store(XXH3_128bits_digest(static_cast<const XXH3_state_t*>(state)), digest);
}

}  // namespace

constinit const Xxh3Functions WEIGHTSMITH_XXH3 = {Hash, Reset, Update, Finish};

}  // namespace weightsmith::internal
