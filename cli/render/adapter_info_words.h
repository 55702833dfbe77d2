// What `lora` and `info` say of an adapter to people.
#pragma once

#include <string>
#include <vector>

#include "cli/render/layout.h"
#include "recipes/jobs/adapter_info.h"

namespace weightsmith::internal {

/// "Stable Diffusion XL, by 722 of 722 modules".
std::string MadeForWords(const AdapterInfo& info);

/// "LoRA for sdxl", as one cell of a table.
std::string AdapterWords(const AdapterInfo& info);

/// What it is for, its modules, families, naming, components, ranks and alphas.
std::vector<TableRow> AdapterRows(const AdapterInfo& info);

/// All that, what its metadata say of the training, and every tensor that is not applied.
std::string AdapterPage(const std::string& path, const AdapterInfo& info);

}  // namespace weightsmith::internal
