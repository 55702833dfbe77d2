// Which architecture an adapter was made for, by the names and shapes of its modules.
#pragma once

#include <cstddef>
#include <vector>

#include "core/model/architecture.h"
#include "merge/adapters/adapter.h"

namespace weightsmith::internal {

struct MadeFor {
  /// All that have the same modules in the same shapes: FLUX.1 and Chroma share most of theirs.
  std::vector<const Architecture*> architectures;
  std::size_t modules = 0;  ///< of the adapter's, that they have
};

/// The declared architectures that have most of the modules; none where none has half of them.
/// Language models, whose sizes vary, are recognised by names alone.
MadeFor TellMadeFor(const Adapter& adapter);

/// Those that have the names of most of the modules, and of as many as any has, in whatever shapes:
/// what is left to say of an adapter that is made for none.
std::vector<const Architecture*> NamedLike(const Adapter& adapter);

}  // namespace weightsmith::internal
