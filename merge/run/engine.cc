#include "merge/run/engine.h"

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "merge/run/computation.h"

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
    : state_bytes_(memory.states),
      context_(plan, OpenFiles(plan, io), memory.delta_cache),
      workers_(context_) {}

void Engine::Compute(const WorkSet& work, Sink& sink, const ComputeOptions& options) {
  Computation(context_, workers_, state_bytes_, work, sink, options).Run();
}

void Engine::ExpectInputsUnchanged() const {
  for (const auto& file : context_.files) file->ExpectUnchanged();
}

void Engine::ExpectInputsUnchanged(const WorkSet& work) const {
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
