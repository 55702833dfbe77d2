#include "merge/run/engine.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "merge/run/computation.h"
#include "merge/run/survey.h"

namespace weightsmith::internal {
namespace {

using Files = std::vector<std::shared_ptr<const ByteSource>>;

Files OpenFiles(const Plan& plan, std::optional<IoBackend> io) {
  std::map<std::filesystem::path, std::shared_ptr<const ByteSource>> opened;
  Files files;
  for (const auto& planned : plan.files) {
    if (planned->substituted()) {
      files.push_back(planned);
      continue;
    }
    auto& file = opened[planned->path()];
    if (file == nullptr) {
      // One sweep in bulk: positioned reads into small buffers are faster than any mapping.
      file = OpenByteSource(planned->path(), io.value_or(IoBackend::kRead));
    }
    planned->ExpectUnchanged();
    files.push_back(file);
  }
  return files;
}

void AddFiles(const Source& source, const Files& files, std::set<const ByteSource*>& read) {
  if (source.scale) read.insert(files[source.scale->file].get());
  if (source.gather == nullptr) {
    read.insert(files[source.file].get());
    return;
  }
  for (const GatherRun& run : *source.gather) read.insert(files[source.file + run.file].get());
}

}  // namespace

Engine::Engine(const Plan& plan, const MemoryShare& memory, std::optional<IoBackend> io)
    : memory_(memory),
      io_(io),
      context_(plan, OpenFiles(plan, io), memory.delta_cache),
      workers_(context_) {}

void Engine::Compute(const WorkSet& work, Sink& sink, const ComputeOptions& options) {
  const bool needed = std::ranges::any_of(
      work, [&](const TaskWork& own) { return !plan().tasks[own.task].given.empty(); });
  if (needed) TakeSurveys(options);
  Computation(context_, workers_, memory_.states, work, sink, options).Run();
}

void Engine::TakeSurveys(const ComputeOptions& options) {
  const std::scoped_lock lock(surveying_);
  if (surveyed_) return;
  context_.given.resize(2 * plan().steps.size(), std::nan(""));
  for (const Survey& survey : plan().surveys) {
    Engine engine(*survey.plan, memory_, io_);
    engine.context_.given = context_.given;
    engine.surveyed_ = true;
    SurveyResult result = Take(survey, engine, options);
    context_.given[FirstGiven(survey.step)] = result.first;
    context_.given[FirstGiven(survey.step) + 1] = result.second;
    context_.gathered.push_back(std::move(result.gathered));
  }
  surveyed_ = true;
}

void Engine::ExpectInputsUnchanged() const {
  for (const auto& file : context_.files) file->ExpectUnchanged();
}

void Engine::ExpectInputsUnchanged(const WorkSet& work) const {
  if (!plan().surveys.empty()) return ExpectInputsUnchanged();
  std::set<const ByteSource*> read;
  for (const TaskWork& own : work) {
    const Task& task = plan().tasks[own.task];
    for (const Source& source : task.sources) AddFiles(source, context_.files, read);
    for (const Source& companion : task.companions) AddFiles(companion, context_.files, read);
    for (const DeltaSource& delta : task.deltas) {
      const Model& adapter = plan().models[delta.model];
      for (const auto& file : adapter.parts.front().checkpoint->files()) read.insert(file.get());
    }
  }
  for (const ByteSource* const file : read) file->ExpectUnchanged();
}

void Engine::DropCaches() const {
  for (const auto& file : context_.files) file->DropCache(0, 0);
}

}  // namespace weightsmith::internal
