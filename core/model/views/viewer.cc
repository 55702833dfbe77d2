#include "core/model/views/viewer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/detect.h"
#include "core/model/monolithic_names.h"
#include "core/tensor/encoding.h"

namespace weightsmith::internal {
namespace {

bool Contiguous(const CheckpointTensor& tensor) {
  return tensor.gather == nullptr && Info(tensor.info.dtype).bits >= 8;
}

/// The run of a contiguous tensor's rows, or of all of it transposed.
GatherRun RunOf(const CheckpointTensor& tensor, const Placement& placement) {
  const std::uint64_t size = Info(tensor.info.dtype).bits / 8;
  const Shape& shape = placement.shape;
  if (placement.transposed) {
    return {tensor.file, tensor.offset, {{shape[1], 1}, {shape[0], shape[1]}}};
  }
  const std::uint64_t all = tensor.info.elements();
  if (placement.rows.all()) return ContiguousRun(tensor.file, tensor.offset, all);
  const std::uint64_t width = all / shape[0];
  return ContiguousRun(tensor.file, tensor.offset + placement.rows.theirs * width * size,
                       placement.rows.count * width);
}

}  // namespace

const CheckpointTensor* Viewer::Find(std::span<const CheckpointTensor> tensors,
                                     std::string_view prefix, const Placement& placement) {
  for (const std::string& name : {placement.name, placement.other_name}) {
    if (name.empty()) continue;
    const CheckpointTensor* found = FindTensor(tensors, std::string(prefix) + name);
    if (found == nullptr) continue;
    const bool flat = ElementCount(found->info.shape) == ElementCount(placement.shape);
    if (found->info.shape == placement.shape || (flat && placement.shape.size() <= 2)) return found;
  }
  return nullptr;
}

std::size_t Viewer::Add(const ComponentRule& component, const Naming* naming,
                        const std::string& theirs, bool monolithic) {
  std::size_t count = 0;
  for (const TensorRule& rule : component.tensors) {
    const std::vector<Placement> placements =
        naming != nullptr ? PlaceIn(*naming, rule, component)
                          : std::vector<Placement>{{.name = rule.name, .shape = rule.shape}};
    std::string name = monolithic ? MonolithicName(component, rule.name, rule.beside) : rule.name;
    count += AddTensor(rule, placements, theirs, std::move(name)) ? 1 : 0;
  }
  AddMarkers(component, theirs, monolithic);
  return count;
}

/// How the component's weights are stored: loaders look for it beside them.
void Viewer::AddMarkers(const ComponentRule& component, const std::string& theirs,
                        bool monolithic) {
  for (const std::string_view name : EncodingMarkers()) {
    const CheckpointTensor* marker = FindTensor(tensors_, theirs + std::string(name));
    if (marker == nullptr) continue;
    CheckpointTensor tensor = *marker;
    tensor.name = monolithic ? MonolithicName(component, name, false) : std::string(name);
    taken_.insert(marker->name);
    view_.push_back(std::move(tensor));
  }
}

void Viewer::AddCompanions() {
  for (const QuantisedWeight& weight : quantised_) {
    const std::string& codes = tensors_[weight.codes.front()].name;
    const auto renamed = renamed_.find(codes);
    if (renamed == renamed_.end()) {
      if (torn_.empty() && taken_.contains(codes)) torn_ = codes;
      continue;
    }
    std::vector<std::uint32_t> others(weight.codes.begin() + 1, weight.codes.end());
    others.insert(others.end(), weight.companions.begin(), weight.companions.end());
    for (const std::uint32_t index : others) {
      CheckpointTensor companion = tensors_[index];
      if (taken_.contains(companion.name)) continue;
      const auto name = CompanionName(companion.name, codes, renamed->second);
      if (!name) {
        if (torn_.empty()) torn_ = codes;
        continue;
      }
      taken_.insert(tensors_[index].name);
      companion.name = *name;
      view_.push_back(std::move(companion));
    }
  }
}

std::vector<CheckpointTensor> Viewer::Finish() {
  AddCompanions();
  for (const CheckpointTensor& tensor : tensors_) {
    if (!taken_.contains(tensor.name)) view_.push_back(tensor);
  }
  std::ranges::sort(view_, {}, &CheckpointTensor::name);
  const auto same = [](const CheckpointTensor& a, const CheckpointTensor& b) {
    return a.name == b.name;
  };
  view_.erase(std::unique(view_.begin(), view_.end(), same), view_.end());
  return std::move(view_);
}

bool Viewer::AddTensor(const TensorRule& rule, const std::vector<Placement>& placements,
                       const std::string& prefix, std::string name) {
  std::vector<const CheckpointTensor*> found;
  for (const Placement& placement : placements) {
    found.push_back(Find(tensors_, prefix, placement));
    if (found.back() == nullptr) return false;
    if (found.back()->info.dtype != found.front()->info.dtype) return false;
  }
  CheckpointTensor tensor = *found.front();
  tensor.name = std::move(name);
  tensor.info.shape = rule.shape;
  const bool renamed_only = placements.size() == 1 && !placements[0].transposed;
  if (!renamed_only) {
    if (!std::ranges::all_of(found, [](const auto* part) { return Contiguous(*part); })) {
      return false;
    }
    Gather gather;
    for (std::size_t i = 0; i < found.size(); ++i) {
      gather.push_back(RunOf(*found[i], placements[i]));
    }
    tensor.gather = std::make_shared<const Gather>(std::move(gather));
  }
  for (const CheckpointTensor* part : found) taken_.insert(part->name);
  if (renamed_only) renamed_.emplace(found.front()->name, tensor.name);
  view_.push_back(std::move(tensor));
  return true;
}

namespace {

/// Rows of a tensor of the other naming, and where they lie.
struct Piece {
  RowMap rows;
  Gather runs;
};

[[noreturn]] void RefuseToCut(const CheckpointTensor& tensor) {
  throw Error(ErrorCode::kInput,
              fmt::format("tensor {} is stored in a form that cannot be split", Quote(tensor.name)),
              "Write it as safetensors first: weightsmith convert FILE -o FILE.safetensors");
}

/// Elements [first, first + count) of a gathered tensor.
Gather Slice(const CheckpointTensor& tensor, std::uint64_t first, std::uint64_t count) {
  const std::uint64_t size = Info(tensor.info.dtype).bits / 8;
  Gather slice;
  for (GatherRun run : *tensor.gather) {
    const std::uint64_t elements = run.elements();
    const std::uint64_t from = std::min(first, elements);
    const std::uint64_t n = std::min(elements - from, count);
    first -= from;
    count -= n;
    if (n == 0) continue;
    const std::uint64_t row = run.axes.empty() ? 1 : elements / run.axes[0].size;
    if (n < elements) {
      if (from % row != 0 || n % row != 0) RefuseToCut(tensor);
      run.offset += from / row * run.axes[0].stride * size;
      run.axes[0].size = n / row;
    }
    slice.push_back(std::move(run));
  }
  return slice;
}

Gather Transpose(const CheckpointTensor& tensor) {
  const Shape& shape = tensor.info.shape;
  if (tensor.gather == nullptr) {
    return {{tensor.file, tensor.offset, {{shape[1], 1}, {shape[0], shape[1]}}}};
  }
  if (tensor.gather->size() != 1 || tensor.gather->front().axes.size() != 2) RefuseToCut(tensor);
  GatherRun run = tensor.gather->front();
  std::swap(run.axes[0], run.axes[1]);
  return {std::move(run)};
}

/// Where the rows of one of our tensors lie that a placement speaks of.
Gather TheirRuns(const CheckpointTensor& ours, const Placement& placement) {
  if (Info(ours.info.dtype).bits < 8) RefuseToCut(ours);
  if (placement.transposed) return Transpose(ours);
  const std::uint64_t width = ours.info.elements() / ours.info.shape[0];
  const std::uint64_t first = placement.rows.ours * width;
  const std::uint64_t count = placement.rows.count * width;
  if (ours.gather != nullptr) return Slice(ours, first, count);
  const std::uint64_t size = Info(ours.info.dtype).bits / 8;
  return {ContiguousRun(ours.file, ours.offset + first * size, count)};
}

CheckpointTensor Renamed(CheckpointTensor tensor, const Placement& placement) {
  tensor.name = placement.name;
  // A tensor of another shape than declared keeps it: extra input channels.
  if (ElementCount(placement.shape) == tensor.info.elements()) tensor.info.shape = placement.shape;
  return tensor;
}

using Rules = std::map<std::string_view, const TensorRule*>;

bool IsRenaming(const std::vector<Placement>& placements) {
  return placements.size() == 1 && placements[0].rows.all() && !placements[0].transposed;
}

/// By index, the names of companions that go with those that their codes get.
std::map<std::size_t, std::string> CompanionNames(const Naming& naming,
                                                  const ComponentRule& component,
                                                  const Rules& rules,
                                                  std::span<const CheckpointTensor> tensors) {
  std::map<std::size_t, std::string> names;
  for (const QuantisedWeight& weight : FindQuantised(tensors)) {
    const std::string& codes = tensors[weight.codes.front()].name;
    const auto rule = rules.find(codes);
    if (rule == rules.end()) continue;
    const std::vector<Placement> placements = PlaceIn(naming, *rule->second, component);
    for (const std::uint32_t index : weight.companions) {
      const std::string& own = tensors[index].name;
      auto name = IsRenaming(placements) ? CompanionName(own, codes, placements[0].name)
                                         : std::optional<std::string>();
      if (!name) {
        throw Error(ErrorCode::kMismatch,
                    fmt::format("{} is stored with {}: quantised weights cannot be written in "
                                "another layout, which cuts or joins them",
                                Quote(codes), Quote(own)),
                    "Use the model's 16-bit file, or keep the layout.");
      }
      names.emplace(index, std::move(*name));
    }
  }
  return names;
}

}  // namespace

std::vector<CheckpointTensor> InNaming(const Naming& naming, const ComponentRule& component,
                                       std::span<const CheckpointTensor> tensors) {
  Rules rules;
  for (const TensorRule& rule : component.tensors) rules.emplace(rule.name, &rule);
  std::vector<CheckpointTensor> view;
  std::map<std::string, std::pair<CheckpointTensor, std::vector<Piece>>> pieces;
  const std::map<std::size_t, std::string> companions =
      CompanionNames(naming, component, rules, tensors);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const CheckpointTensor& ours = tensors[i];
    const auto rule = rules.find(ours.name);
    if (Lacks(naming, ours.name)) continue;
    if (rule == rules.end()) {
      view.push_back(ours);
      const auto companion = companions.find(i);
      if (companion != companions.end()) view.back().name = companion->second;
      continue;
    }
    const std::vector<Placement> placements = PlaceIn(naming, *rule->second, component);
    if (IsRenaming(placements)) {
      view.push_back(Renamed(ours, placements[0]));
      continue;
    }
    if (ours.info.shape != rule->second->shape) RefuseToCut(ours);
    for (const Placement& placement : placements) {
      auto& [theirs, parts] = pieces[placement.name];
      theirs.name = placement.name;
      theirs.info = {ours.info.dtype, placement.shape};
      parts.push_back({placement.rows, TheirRuns(ours, placement)});
    }
  }
  for (auto& [name, tensor] : pieces) {
    auto& [theirs, parts] = tensor;
    std::ranges::sort(parts, {}, [](const Piece& piece) { return piece.rows.theirs; });
    Gather gather;
    for (const Piece& piece : parts) {
      gather.insert(gather.end(), piece.runs.begin(), piece.runs.end());
    }
    theirs.file = gather.front().file;
    theirs.offset = gather.front().offset;
    const bool one_run =
        gather.size() == 1 && gather[0].axes.size() == 1 && gather[0].axes[0].stride == 1;
    if (!one_run) theirs.gather = std::make_shared<const Gather>(std::move(gather));
    view.push_back(std::move(theirs));
  }
  std::ranges::sort(view, {}, &CheckpointTensor::name);
  return view;
}

}  // namespace weightsmith::internal
