#include "merge/run/prepared_deltas.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/adapters/module_delta.h"

namespace weightsmith::internal {
namespace {

std::vector<float> Transposed(std::span<const float> values, std::uint64_t columns) {
  std::vector<float> other(values.size());
  const std::uint64_t rows = columns == 0 ? 0 : values.size() / columns;
  for (std::uint64_t row = 0; row < rows; ++row) {
    for (std::uint64_t column = 0; column < columns; ++column) {
      other[column * rows + row] = values[row * columns + column];
    }
  }
  return other;
}

/// The rows that a part is for, in the order of its module.
std::vector<float> RowsOf(const AdapterPart& part, std::span<const float> whole,
                          std::uint64_t columns) {
  std::vector<float> rows;
  for (const RowMap& run : part.rows) {
    const auto own = whole.subspan(run.ours * columns, run.count * columns);
    rows.insert(rows.end(), own.begin(), own.end());
  }
  return part.transposed ? Transposed(rows, columns) : rows;
}

/// Whether the tensor's values are those of the module as they lie.
bool IsWhole(const AdapterPart& part, std::uint64_t rows) {
  return !part.transposed && part.rows.size() == 1 && part.rows[0].ours == 0 &&
         part.rows[0].count == rows;
}

/// Whether the part has to know the weight.
bool ReadsPart(const AdapterPart& part, const DeltaSource& delta) {
  return ReadsWeight(*part.module, part.target) ||
         (Replaces(*part.module, part.target) && !delta.replaces);
}

/// The shape of what the module changes.
Shape ShapeOf(const AdapterPart& part, const Shape& tensor) {
  Shape shape = tensor;
  if (part.transposed) {
    std::reverse(shape.begin(), shape.end());
    return shape;
  }
  if (shape.empty()) return shape;
  shape[0] = CountOurs(part.rows);
  return shape;
}

}  // namespace

PreparedDeltas::PreparedDeltas(const Plan& plan, const Task& task, AdapterDigests& digests)
    : plan_(&plan), task_(&task), digests_(&digests), deltas_(task.deltas.size()) {}

void PreparedDeltas::Prepare(std::size_t number, std::span<const float> whole, const Poll& poll) {
  const DeltaSource& source = task_->deltas[number];
  const Model& model = plan_->models[source.model];
  Delta& delta = deltas_[number];
  delta.columns = SizeAsMatrix(source.shape).columns;
  for (const AdapterPart& part : source.parts) {
    WithContext(fmt::format("adapter '{}': {}", model.name, Quote(part.module->stem)), [&] {
      AdapterValues values =
          ReadValues(*model.parts.front().checkpoint, *part.module, source.strength,
                     [&](std::uint32_t tensor, std::span<const std::byte> bytes) {
                       digests_->Take(*plan_, source.model, tensor, bytes);
                     });
      values.poll = poll;
      AdapterWeight weight{ShapeOf(part, source.shape), {}};
      if (ReadsPart(part, source)) {
        weight.values = IsWhole(part, SizeAsMatrix(source.shape).rows)
                            ? whole
                            : delta.weights.emplace_back(RowsOf(part, whole, delta.columns));
      }
      std::unique_ptr<DeltaRows> rows = MakeDelta(*part.module, part.target, values, weight);
      if (part.transposed) {
        const std::uint64_t columns = rows->columns();
        std::vector<float> all(ElementCount(source.shape).value());
        rows->Fill(0, all);
        rows = std::make_unique<StoredRows>(delta.columns, Transposed(all, columns));
      }
      // What is in proportion to the strength has it from here, where others have it in them.
      const bool own = !IsLinear(*part.module, part.target) || Replaces(*part.module, part.target);
      for (const RowMap& map : part.rows) {
        delta.runs.push_back({rows.get(), map, own ? 1 : static_cast<float>(source.strength)});
      }
      delta.rows.push_back(std::move(rows));
    });
  }
}

void PreparedDeltas::Fill(std::size_t number, std::uint64_t first, std::span<float> out) const {
  const Delta& delta = deltas_[number];
  std::uint64_t covered = 0;
  const std::uint64_t end = first + out.size();
  for (const Run& run : delta.runs) {
    const std::uint64_t from = std::max(first, run.map.ours * delta.columns);
    const std::uint64_t to = std::min(end, run.map.end() * delta.columns);
    if (from < to) covered += to - from;
  }
  if (covered < out.size()) std::ranges::fill(out, 0.0f);
  for (const Run& run : delta.runs) {
    const std::uint64_t from = std::max(first, run.map.ours * delta.columns);
    const std::uint64_t to = std::min(end, run.map.end() * delta.columns);
    if (from < to) FillRun(run, delta.columns, from, out.subspan(from - first, to - from));
  }
}

void PreparedDeltas::FillRun(const Run& run, std::uint64_t columns, std::uint64_t first,
                             std::span<float> out) {
  const std::uint64_t theirs = run.rows->columns();
  if (theirs == columns) {
    run.rows->Fill(first - run.map.ours * columns + run.map.theirs * columns, out);
  } else {
    // Input channels behind those that the module knows are left as they are.
    std::ranges::fill(out, 0.0f);
    for (std::uint64_t at = first; at < first + out.size();) {
      const std::uint64_t row = at / columns;
      const std::uint64_t column = at % columns;
      const std::uint64_t row_end = std::min((row + 1) * columns, first + out.size());
      if (column < theirs) {
        const std::uint64_t n = std::min(theirs - column, row_end - at);
        run.rows->Fill(run.map.TheirRow(row) * theirs + column, out.subspan(at - first, n));
      }
      at = row_end;
    }
  }
  if (run.factor == 1) return;
  for (float& value : out) value *= run.factor;
}

std::uint64_t BytesOf(const Task& task) {
  std::uint64_t kept = 0;
  std::uint64_t passing = 0;
  for (const DeltaSource& delta : task.deltas) {
    const std::uint64_t whole = ElementCount(delta.shape).value_or(0) * sizeof(float);
    std::uint64_t beside = delta.weight ? whole : 0;
    for (const AdapterPart& part : delta.parts) {
      kept += DeltaBytes(*part.module, part.target, delta.shape);
      if (ReadsPart(part, delta) && !IsWhole(part, SizeAsMatrix(delta.shape).rows)) kept += whole;
      if (part.transposed) kept += whole;
      const std::uint64_t turned = part.transposed ? whole : 0;
      passing = std::max(passing, beside + turned + ValueBytes(*part.module));
    }
  }
  return kept + passing;
}

DeltaCache::DeltaCache(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}

std::shared_ptr<DeltaCache::Entry> DeltaCache::EntryOf(const Plan& plan, std::uint32_t task,
                                                       bool only_if_kept) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(slots_, [](const Slot& slot) { return slot.entry.expired(); });
  const auto found = std::ranges::find(slots_, task, &Slot::task);
  if (found != slots_.end()) {
    if (auto entry = found->entry.lock()) return entry;
  }
  const std::uint64_t bytes = BytesOf(plan.tasks[task]);
  const bool keep = bytes <= most_bytes_;
  if (!keep && only_if_kept) return nullptr;
  auto entry = std::make_shared<Entry>();
  for (auto slot = slots_.begin(); keep && kept_bytes_ + bytes > most_bytes_; ++slot) {
    kept_bytes_ -= slot->bytes;
    slot->bytes = 0;
    slot->kept = nullptr;
  }
  if (keep) kept_bytes_ += bytes;
  slots_.push_back(
      {.task = task, .entry = entry, .kept = keep ? entry : nullptr, .bytes = keep ? bytes : 0});
  return entry;
}

std::shared_ptr<const PreparedDeltas> DeltaCache::Make(const Plan& plan, std::uint32_t task,
                                                       const std::shared_ptr<Entry>& entry,
                                                       const Poll& poll) {
  std::call_once(entry->once, [&] {
    entry->deltas.emplace(plan, plan.tasks[task], digests_);
    for (std::size_t d = 0; d < plan.tasks[task].deltas.size(); ++d) {
      entry->deltas->Prepare(d, {}, poll);
    }
  });
  return {entry, &*entry->deltas};
}

std::shared_ptr<const PreparedDeltas> DeltaCache::Get(const Plan& plan, std::uint32_t task,
                                                      const Poll& poll) {
  return Make(plan, task, EntryOf(plan, task, false), poll);
}

void DeltaCache::Prepare(const Plan& plan, std::uint32_t after, const Poll& poll) {
  constexpr std::uint32_t kFar = 8;
  const auto tasks = static_cast<std::uint32_t>(plan.tasks.size());
  for (std::uint32_t task = after + 1; task < std::min(tasks, after + 1 + kFar); ++task) {
    if (plan.tasks[task].deltas.empty() || !plan.tasks[task].passes.empty()) continue;
    if (const auto entry = EntryOf(plan, task, true)) Make(plan, task, entry, poll);
    return;
  }
}

}  // namespace weightsmith::internal
