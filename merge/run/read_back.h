// Whether an interrupted run's partial outputs still hold what its journal says: after a power cut,
// a failing disk or a helping hand they may not.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/io/output_file.h"
#include "merge/plan/plan.h"
#include "merge/run/task_result.h"

namespace weightsmith::internal {

/// A partial output as something that can be read; it has to outlive what is returned.
std::shared_ptr<const ByteSource> ReaderOf(const OutputFile& file);

/// Bytes that these tasks have written.
std::uint64_t BytesOfProducts(const Plan& plan, std::span<const FinishedTask> tasks);

/// Reads the products of the tasks back from `files`, which are parallel to Plan::output_files, and
/// returns how many of them, from the first one on, have the digests that they had. Throws
/// kInterrupted once `cancel` is set.
std::size_t CountIntact(const Plan& plan, std::span<const FinishedTask> tasks,
                        std::span<const std::shared_ptr<const ByteSource>> files,
                        const std::atomic<bool>* cancel);

}  // namespace weightsmith::internal
