#include "merge/run/output_index.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/safetensors/layout.h"

namespace weightsmith::internal {

OutputIndex::OutputIndex(const Plan& plan) {
  std::map<std::pair<std::uint32_t, std::uint64_t>, IndexedTensor*> by_end;  // by file and end
  for (std::uint32_t f = 0; f < plan.output_files.size(); ++f) {
    const HeaderLayout& layout = plan.output_files[f].layout;
    for (const SafetensorsEntry& entry : layout.tensors) {
      const auto [at, added] = tensors_.try_emplace(entry.name, IndexedTensor{f, &entry});
      if (!added || entry.info.bytes() == 0) continue;
      by_end[{f, layout.data_start + entry.begin + entry.info.bytes()}] = &at->second;
    }
  }
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    const auto add = [&](std::uint32_t file, std::uint64_t offset) {
      const auto at = by_end.upper_bound({file, offset});
      if (at == by_end.end() || at->first.first != file) return;
      std::vector<std::uint32_t>& tasks = at->second->tasks;
      if (tasks.empty() || tasks.back() != t) tasks.push_back(t);
    };
    if (plan.tasks[t].elements == 0) continue;
    for (const Product& product : plan.tasks[t].products) {
      if (product.scatter == nullptr) {
        add(product.file, product.offset);
        continue;
      }
      for (const GatherRun& run : *product.scatter) add(run.file, run.offset);
    }
  }
}

const IndexedTensor& OutputIndex::Find(const std::string& name) const {
  if (const auto found = tensors_.find(name); found != tensors_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [other, unused] : tensors_) known.push_back(other);
  throw Error(ErrorCode::kMismatch,
              fmt::format("there is no tensor {}.{}", Quote(name), DidYouMean(name, known)));
}

}  // namespace weightsmith::internal
