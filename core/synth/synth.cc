#include "core/synth/synth.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/safetensors/layout.h"
#include "core/io/machine.h"
#include "core/io/output_name.h"
#include "core/model/architecture_names.h"
#include "core/synth/synth_values.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kFilledAtOnce = 1 << 20;

/// What a name stands for.
struct Subject {
  std::vector<ComponentRule> components;
  DType dtype = DType::kF16;
  std::string_view modelspec;
  bool published_bare = false;
  bool part = false;
};

std::optional<Subject> FindSubject(std::string_view name, std::string_view scale) {
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      if (row.synth != name || row.scale != scale) continue;
      return Subject{row.components(), architecture->dtype,
                     row.modelspec.empty() ? architecture->modelspec : row.modelspec,
                     architecture->published_bare, false};
    }
  }
  for (const Part* part : Parts()) {
    for (const PartRow& row : part->rows) {
      if (row.synth != name || row.scale != scale) continue;
      return Subject{{row.component()}, part->dtype, {}, false, true};
    }
  }
  return std::nullopt;
}

Subject FindSubject(const SynthOptions& options) {
  if (options.scale != "full" && options.scale != "tiny") {
    throw Error(ErrorCode::kUsage,
                fmt::format("synth: unknown scale {}: it is full or tiny", Quote(options.scale)));
  }
  const std::string name = SynthNameOf(options.name).value_or(options.name);
  std::optional<Subject> subject = FindSubject(name, options.scale);
  if (!subject) {
    const std::vector<std::string> names = SynthNames();
    throw Error(ErrorCode::kUsage,
                fmt::format("synth: unknown architecture {}.{}", Quote(options.name),
                            DidYouMean(options.name, names)),
                fmt::format("Known are {}.", fmt::join(names, ", ")));
  }
  if (subject->part && options.layout != SynthLayout::kPublished) {
    throw Error(ErrorCode::kUsage,
                fmt::format("synth: {} is one component and has no other layout", options.name));
  }
  return *std::move(subject);
}

std::vector<TensorSpec> Tensors(const Subject& subject, const SynthOptions& options) {
  const DType dtype = options.dtype.value_or(subject.dtype);
  if (!Info(dtype).has_codec) {
    throw Error(ErrorCode::kUsage,
                fmt::format("synth: cannot make values of dtype {}", Info(dtype).word),
                "f64, f32, f16, bf16, f8_e4m3 and f8_e5m2 can be made.");
  }
  const bool bare = options.layout == SynthLayout::kBare ||
                    (options.layout == SynthLayout::kPublished && subject.published_bare);
  std::vector<TensorSpec> tensors;
  for (const ComponentRule& component : subject.components) {
    if (bare && component.kind != ComponentKind::kBackbone) continue;
    if (options.layout == SynthLayout::kPublished && !component.published) continue;
    const std::string prefix = bare ? "" : component.prefixes.front();
    for (const TensorRule& rule : component.tensors) {
      if (!rule.usual) continue;
      const bool positions = rule.role == Role::kPositionIds;
      tensors.push_back({prefix + rule.name, {positions ? DType::kI64 : dtype, rule.shape}});
    }
  }
  return tensors;
}

Metadata MakeMetadata(const Subject& subject, const SynthOptions& options) {
  Metadata metadata = {{"format", "pt"}};
  std::string title = fmt::format("Synthetic {}, seed {}", options.name, options.seed);
  if (options.finetune_of) title += fmt::format(", fine-tuned from {}", *options.finetune_of);
  metadata["modelspec.title"] = std::move(title);
  if (!subject.modelspec.empty()) metadata["modelspec.architecture"] = subject.modelspec;
  return metadata;
}

/// 0, 1, 2 … as I64.
void FillPositions(std::uint64_t first, std::span<std::byte> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t value = first + i / 8;
    out[i] = static_cast<std::byte>(value >> (8 * (i % 8)) & 0xff);
  }
}

class Writer {
 public:
  Writer(const HeaderLayout& layout, const SynthOptions& options, DType dtype, OutputFile& file,
         const SynthProgress& progress)
      : layout_(layout),
        values_(dtype, options.seed, options.finetune_of),
        file_(file),
        progress_(progress) {}

  /// Every chunk of the data, by as many threads as the machine has.
  void Run() {
    std::vector<std::jthread> threads;
    const auto others = static_cast<int>(std::max(1u, std::thread::hardware_concurrency())) - 1;
    for (int i = StartableThreads(others); i > 0; --i) threads.emplace_back([this] { Work(); });
    Work();
    threads.clear();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::uint64_t data_size() const { return layout_.file_size - layout_.data_start; }

  void Work() {
    try {
      std::vector<std::byte> buffer(kFilledAtOnce);
      while (!stop_) {
        const std::uint64_t begin = kFilledAtOnce * next_++;
        if (begin >= data_size()) return;
        const std::uint64_t size = std::min(kFilledAtOnce, data_size() - begin);
        FillChunk(begin, std::span(buffer).first(size));
        file_.Write(layout_.data_start + begin, std::span(buffer).first(size));
        Report(size);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stop_ = true;
    }
  }

  /// Every tensor's share of bytes [begin, begin + out.size()) of the data. Tensors lie by falling
  /// alignment, so that no element crosses the chunk's ends.
  void FillChunk(std::uint64_t begin, std::span<std::byte> out) const {
    const std::uint64_t end = begin + out.size();
    auto tensor = std::partition_point(layout_.tensors.begin(), layout_.tensors.end(),
                                       [begin](const auto& entry) { return entry.end <= begin; });
    for (; tensor != layout_.tensors.end() && tensor->begin < end; ++tensor) {
      const std::uint64_t from = std::max(begin, tensor->begin);
      const std::uint64_t to = std::min(end, tensor->end);
      if (from >= to) continue;
      const std::uint64_t first = (from - tensor->begin) / (Info(tensor->info.dtype).bits / 8);
      const std::span<std::byte> place = out.subspan(from - begin, to - from);
      if (tensor->info.dtype == DType::kI64) {
        FillPositions(first, place);
      } else {
        values_.Fill(tensor->name, tensor->info.shape, first, place);
      }
    }
  }

  void Report(std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    done_ += size;
    if (progress_ && !progress_(done_, data_size())) {
      throw Error(ErrorCode::kInterrupted, "interrupted");
    }
  }

  const HeaderLayout& layout_;
  const SynthValues values_;
  OutputFile& file_;
  const SynthProgress& progress_;
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;  // of the rest
  std::uint64_t done_ = 0;
  std::exception_ptr failure_;
};

/// The little that a sparse file holds: without its position_ids it would count as damaged.
void WritePositions(const HeaderLayout& layout, OutputFile& file) {
  for (const SafetensorsEntry& tensor : layout.tensors) {
    if (tensor.info.dtype != DType::kI64) continue;
    std::vector<std::byte> bytes(tensor.info.bytes());
    FillPositions(0, bytes);
    file.Write(layout.data_start + tensor.begin, bytes);
  }
}

}  // namespace

std::vector<std::string> SynthNames() {
  std::vector<std::string> names;
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) names.emplace_back(row.synth);
  }
  for (const Part* part : Parts()) {
    for (const PartRow& row : part->rows) names.emplace_back(row.synth);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

HeaderLayout LayOutSynth(const SynthOptions& options) {
  const Subject subject = FindSubject(options);
  return LayOut(Tensors(subject, options), MakeMetadata(subject, options), kDataAlignment);
}

void Synthesise(const SynthOptions& options, const std::filesystem::path& target,
                const OutputOptions& output, const SynthProgress& progress) {
  WithContext("synth", [&] { ExpectOutputName(target, OutputKind::kFile); });
  const HeaderLayout layout = LayOutSynth(options);
  const DType dtype = options.dtype.value_or(FindSubject(options).dtype);
  OutputOptions file_options = output;
  file_options.reserve = output.reserve && !options.sparse;
  OutputFile file(target, layout.file_size, file_options);
  try {
    file.Write(0, std::as_bytes(std::span(layout.header)));
    if (options.sparse) {
      WritePositions(layout, file);
    } else {
      Writer(layout, options, dtype, file, progress).Run();
    }
    file.Flush([&] { return !progress || progress(layout.file_size, layout.file_size); });
    file.Commit();
  } catch (...) {
    file.Discard();
    throw;
  }
}

}  // namespace weightsmith::internal
