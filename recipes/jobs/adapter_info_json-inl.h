// What an adapter is, as JSON: what `lora --json` prints, and a part of what `info --json` does.
// Scripts rely on its names.
#pragma once

#include <string>

#include "recipes/jobs/adapter_info.h"
#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {

/// In short: counts of its modules, and the architectures that it was made for.
template <>
const Record<AdapterInfo>& RecordOf();

/// An object with every module. recipes/schema/lora.json describes it.
std::string AdapterInfoJson(const std::string& path, const AdapterInfo& info);
/// Its schema, without "$schema".
std::string AdapterInfoSchema();

}  // namespace weightsmith::internal
