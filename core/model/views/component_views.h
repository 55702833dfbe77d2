// A checkpoint taken apart into its components as loaders take them, and put together again: views,
// with nothing copied.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/anatomy.h"

namespace weightsmith::internal {

/// The declarations of the model's components, or of the part that it is; empty for an unknown one.
std::vector<ComponentRule> ComponentRules(const Anatomy& anatomy);

struct ComponentView {
  std::string name;  ///< "unet", "clip_l", "other"
  std::shared_ptr<const Checkpoint> checkpoint;
};

/// How a component's own file names its tensors: as its publisher and most loaders have them, with
/// OpenCLIP's encoders in Hugging Face's naming, or everything as diffusers and transformers do.
enum class FileNaming : bool { kLoaders, kDiffusers };

/// Every component under the names that its own files have. What belongs to no component is
/// "other", under its own names.
std::vector<ComponentView> ComponentViews(const Checkpoint& checkpoint, const Anatomy& anatomy,
                                          FileNaming naming = FileNaming::kLoaders);

/// Whether a file is a component, complete, in one of its namings.
bool IsComponent(const Checkpoint& file, const ComponentRule& component);

/// The file under the names that the component has inside its own files, whichever of its namings
/// the file has; null where it is not that component.
std::shared_ptr<const Checkpoint> LocalView(const Checkpoint& file, const ComponentRule& component);

/// One component's file under the names that it has in a monolithic file, whichever of its namings
/// the file has. Throws kMismatch, naming both, where the file is not that component.
std::shared_ptr<const Checkpoint> AsComponent(const Checkpoint& file,
                                              const ComponentRule& component);

}  // namespace weightsmith::internal
