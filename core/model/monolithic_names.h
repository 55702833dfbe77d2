// Between a tensor's name inside its component and its name in a monolithic file.
#pragma once

#include <string>
#include <string_view>

#include "core/model/anatomy.h"
#include "core/model/architecture.h"

namespace weightsmith::internal {

/// What stands before the tensors that stand beside a component's module: "text_encoders.clip_l."
/// of "text_encoders.clip_l.transformer.".
std::string_view PrefixBeside(std::string_view prefix);

/// The tensor's name in a monolithic file under the component's canonical prefix.
std::string MonolithicName(const ComponentRule& component, std::string_view local, bool beside);

/// Gives the tensors of a file that holds one component (Anatomy::part) the canonical names that
/// they have in a monolithic file of `parent`; those that the parent has no rule for keep theirs.
void NameWithin(Anatomy& part, const ArchitectureRow& parent);

}  // namespace weightsmith::internal
