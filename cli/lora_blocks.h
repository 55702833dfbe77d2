// --lora-blocks: strengths of adapters by block, as people write them.
#pragma once

#include <string>
#include <string_view>

namespace weightsmith::internal {

/// The strength of an adapter as a recipe writes it: `blocks` are numbers with commas, a preset,
/// rows of places or a file of one of these, that are multiplied by the strengths; empty: the
/// strengths alone. Throws kUsage for rows beside strengths that are not 1.
std::string StrengthText(const std::string& blocks, double strength, double text_strength);

}  // namespace weightsmith::internal
