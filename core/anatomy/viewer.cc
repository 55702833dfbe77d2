#include "core/anatomy/viewer.h"

#include <algorithm>
#include <map>
#include <memory>

#include "core/anatomy/detect.h"
#include "core/anatomy/naming.h"

namespace weightsmith {
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
  const std::uint64_t width = placement.rows == 0 ? all : all / shape[0];
  return ContiguousRun(tensor.file, tensor.offset + placement.their_row * width * size,
                       placement.rows == 0 ? all : placement.rows * width);
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

std::size_t Viewer::Add(const ComponentRule& component, const Layout* layout,
                        const std::string& theirs, bool monolithic) {
  std::size_t count = 0;
  for (const TensorRule& rule : component.tensors) {
    const std::vector<Placement> placements =
        layout != nullptr ? PlaceIn(*layout, rule, component)
                          : std::vector<Placement>{{.name = rule.name, .shape = rule.shape}};
    std::string name = monolithic ? MonolithicName(component, rule.name, rule.beside) : rule.name;
    count += AddTensor(rule, placements, theirs, std::move(name)) ? 1 : 0;
  }
  return count;
}

std::vector<CheckpointTensor> Viewer::Finish() {
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
  view_.push_back(std::move(tensor));
  return true;
}

namespace {

/// Rows of a tensor of the other naming, and where they lie.
struct Piece {
  std::uint64_t their_row;
  GatherRun run;
};

GatherRun TheirRun(const CheckpointTensor& ours, const Placement& placement) {
  const std::uint64_t size = Info(ours.info.dtype).bits / 8;
  const Shape& shape = ours.info.shape;
  if (placement.transposed) {
    return {ours.file, ours.offset, {{shape[1], 1}, {shape[0], shape[1]}}};
  }
  const std::uint64_t all = ours.info.elements();
  if (placement.rows == 0) return ContiguousRun(ours.file, ours.offset, all);
  const std::uint64_t width = all / shape[0];
  return ContiguousRun(ours.file, ours.offset + placement.our_row * width * size,
                       placement.rows * width);
}

}  // namespace

std::vector<CheckpointTensor> InNaming(const Layout& layout, const ComponentRule& component,
                                       std::span<const CheckpointTensor> tensors) {
  std::map<std::string_view, const TensorRule*> rules;
  for (const TensorRule& rule : component.tensors) rules.emplace(rule.name, &rule);
  std::vector<CheckpointTensor> view;
  std::map<std::string, std::pair<CheckpointTensor, std::vector<Piece>>> pieces;
  for (const CheckpointTensor& ours : tensors) {
    const auto rule = rules.find(ours.name);
    if (rule == rules.end() || !Contiguous(ours) || ours.info.shape != rule->second->shape) {
      view.push_back(ours);
      continue;
    }
    for (Placement& placement : PlaceIn(layout, *rule->second, component)) {
      auto& [theirs, runs] = pieces[placement.name];
      theirs.name = placement.name;
      theirs.info = {ours.info.dtype, placement.shape};
      runs.push_back({placement.their_row, TheirRun(ours, placement)});
    }
  }
  for (auto& [name, tensor] : pieces) {
    auto& [theirs, runs] = tensor;
    std::ranges::sort(runs, {}, &Piece::their_row);
    if (runs.size() == 1 && runs[0].run.axes.size() == 1) {
      theirs.file = runs[0].run.file;
      theirs.offset = runs[0].run.offset;
    } else {
      Gather gather;
      for (Piece& piece : runs) gather.push_back(std::move(piece.run));
      theirs.file = gather.front().file;
      theirs.offset = gather.front().offset;
      theirs.gather = std::make_shared<const Gather>(std::move(gather));
    }
    view.push_back(std::move(theirs));
  }
  std::ranges::sort(view, {}, &CheckpointTensor::name);
  return view;
}

}  // namespace weightsmith
