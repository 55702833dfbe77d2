#include "merge/plan/planned_tensors.h"

#include "core/model/blocks.h"

namespace weightsmith::internal {

std::string Want::NameIn(const std::string& name) const {
  return origin.layer ? WithBlock(name, *origin.layer) : name;
}

Want Want::CopiedFrom(std::uint32_t model) const {
  return {output, {origin.node, {model}, origin.layer}};
}

}  // namespace weightsmith::internal
