// What an adapter is, as `lora` and `info` tell it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/checkpoint.h"
#include "merge/adapters/adapter.h"
#include "merge/adapters/made_for.h"

namespace weightsmith::internal {

struct AdapterInfo {
  using Counts = std::map<std::string, std::size_t>;

  std::shared_ptr<const Checkpoint> checkpoint;
  std::shared_ptr<const Adapter> adapter;
  MadeFor made_for;
  std::vector<const Architecture*> named_like{};  ///< where it is made for none, by names alone
  /// Modules by what they are.
  Counts families{}, namings{}, components{}, ranks{}, alphas{};
  std::size_t dora = 0;
};

/// Throws as ReadAdapter does.
AdapterInfo ReadAdapterInfo(std::shared_ptr<const Checkpoint> checkpoint);

/// The same where most tensors of the file are those of modules that can be applied; nothing for
/// other files, and where its configuration cannot be read.
std::optional<AdapterInfo> FindAdapter(std::shared_ptr<const Checkpoint> checkpoint);

/// The tags of the captions that were used most: often the words that call what was trained.
std::vector<std::string> FrequentTags(const AdapterInfo& info);

/// Modules by component and block of the architecture that it was made for: "unet.in.4".
AdapterInfo::Counts ModulesByBlock(const AdapterInfo& info);

}  // namespace weightsmith::internal
