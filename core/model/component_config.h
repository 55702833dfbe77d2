// The config.json of a component, as diffusers and transformers read it: told from the shapes of
// its declaration.
#pragma once

#include <string>

#include "core/model/anatomy.h"

namespace weightsmith::internal {

struct ComponentConfig {
  std::string library;     ///< "diffusers", "transformers"
  std::string class_name;  ///< "UNet2DConditionModel"; empty: no config of it is known
  std::string json;
};

/// REQUIRES: a component of that model.
ComponentConfig ConfigOf(const Anatomy& anatomy, const ComponentRule& component);

}  // namespace weightsmith::internal
