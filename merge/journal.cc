#include "merge/journal.h"

#include <fmt/core.h>

#include <bit>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/io/machine.h"

namespace weightsmith {
namespace {

constexpr std::string_view kFormat = "weightsmith-journal-1";

/// Feeds values to a digest in a form that says where each ends.
class Fingerprint {
 public:
  Fingerprint& Add(std::string_view text) {
    Add(text.size());
    stream_.Update(std::as_bytes(std::span(text)));
    return *this;
  }
  Fingerprint& Add(std::uint64_t number) {
    stream_.Update(std::as_bytes(std::span(&number, 1)));
    return *this;
  }
  Fingerprint& Add(double number) { return Add(std::bit_cast<std::uint64_t>(number)); }
  Digest Finish() const { return stream_.Finish(); }

 private:
  Xxh3Stream stream_;
};

void AddGather(Fingerprint& print, const Gather* gather) {
  if (gather == nullptr) return;
  for (const GatherRun& run : *gather) {
    print.Add(std::uint64_t{run.file}).Add(run.offset);
    for (const GatherAxis& axis : run.axes) print.Add(axis.size).Add(axis.stride);
  }
}

void AddTask(Fingerprint& print, const Task& task) {
  print.Add(task.name).Add(task.elements).Add(task.sources.size());
  for (const Source& source : task.sources) {
    print.Add(std::uint64_t{source.file}).Add(source.offset).Add(Info(source.info.dtype).name);
    print.Add(source.segments.size());
    AddGather(print, source.gather.get());
  }
  print.Add(task.tape.instructions.size());
  for (const Instruction& step : task.tape.instructions) {
    print.Add(static_cast<std::uint64_t>(step.code)).Add(std::uint64_t{step.out});
    for (const Register in : step.in) print.Add(std::uint64_t{in});
    for (const double scalar : step.scalar) print.Add(scalar);
  }
  print.Add(task.tape.probes.size());
  for (const DeltaSource& delta : task.deltas) {
    print.Add(std::uint64_t{delta.model}).Add(delta.strength).Add(delta.parts.size());
    for (const AdapterPart& part : delta.parts) print.Add(part.module->stem);
  }
  for (const Product& product : task.products) {
    print.Add(std::uint64_t{product.file}).Add(product.offset).Add(Info(product.dtype).name);
    print.Add(std::uint64_t{product.value}).Add(product.noise.value_or(0)).Add(product.scales);
    AddGather(print, product.scatter.get());
  }
}

Digest PlanFingerprint(const Plan& plan, bool digests, bool effects) {
  Fingerprint print;
  print.Add(kFormat).Add(BootId());
  print.Add(std::uint64_t{digests}).Add(std::uint64_t{effects});
  print.Add(static_cast<std::uint64_t>(plan.policies.precision));
  print.Add(static_cast<std::uint64_t>(plan.policies.non_finite));
  for (const auto& file : plan.files) {
    const FileIdentity& identity = file->identity();
    print.Add(identity.device).Add(identity.inode).Add(identity.size);
    print.Add(static_cast<std::uint64_t>(identity.modified_ns));
  }
  for (const OutputFilePlan& file : plan.output_files) {
    print.Add(file.path.string()).Add(file.layout.header);
  }
  for (const Task& task : plan.tasks) AddTask(print, task);
  return print.Finish();
}

std::string Line(std::size_t task, const TaskResult& result) {
  std::string line =
      fmt::format("{} {} {} {}", task, result.non_finite, result.bytes_read, result.bytes_written);
  for (const Digest& digest : result.sources) line += " " + digest.ToHex();
  for (const Digest& digest : result.products) line += " " + digest.ToHex();
  for (const Effect& effect : result.effects) {
    line += fmt::format(" {} {} {} {} {}", effect.elements, effect.changed, effect.rounded,
                        std::bit_cast<std::uint64_t>(effect.change_squares),
                        std::bit_cast<std::uint64_t>(effect.before_squares));
  }
  return line + " " + Xxh3(std::as_bytes(std::span(line))).ToHex() + "\n";
}

bool ReadDigests(std::istream& words, std::size_t count, std::vector<Digest>& digests) {
  std::string hex;
  for (std::size_t i = 0; i < count && words >> hex; ++i) {
    const std::optional<Digest> digest = Digest::FromHex(hex);
    if (!digest) return false;
    digests.push_back(*digest);
  }
  return static_cast<bool>(words);
}

/// The result on a line; nothing where the line is cut or is not of this task.
std::optional<TaskResult> ParseLine(const std::string& line, std::size_t number, const Task& task,
                                    bool digests) {
  const std::size_t space = line.rfind(' ');
  if (space == std::string::npos) return std::nullopt;
  const std::string_view body = std::string_view(line).substr(0, space);
  if (Xxh3(std::as_bytes(std::span(body))).ToHex() != line.substr(space + 1)) return std::nullopt;
  std::istringstream words{std::string(body)};
  std::size_t index = 0;
  TaskResult result;
  words >> index >> result.non_finite >> result.bytes_read >> result.bytes_written;
  if (!words || index != number) return std::nullopt;
  if (digests && (!ReadDigests(words, task.sources.size(), result.sources) ||
                  !ReadDigests(words, task.products.size(), result.products))) {
    return std::nullopt;
  }
  for (std::size_t p = 0; p < task.tape.probes.size(); ++p) {
    std::uint64_t change = 0;
    std::uint64_t before = 0;
    Effect& effect = result.effects.emplace_back();
    if (!(words >> effect.elements >> effect.changed >> effect.rounded >> change >> before))
      return std::nullopt;
    effect.change_squares = std::bit_cast<double>(change);
    effect.before_squares = std::bit_cast<double>(before);
  }
  return result;
}

}  // namespace

struct Journal::State {
  std::filesystem::path path;
  std::string heading;
  std::ofstream file;
  std::vector<TaskResult> finished;
  std::size_t next = 0;
  bool foreign = false;
};

Journal::Journal(std::filesystem::path path, const Plan& plan, bool digests, bool effects)
    : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->heading = fmt::format("{} {}", kFormat, PlanFingerprint(plan, digests, effects).ToHex());
  std::ifstream before(state_->path);
  std::string line;
  if (!before.is_open()) return;
  state_->foreign = !std::getline(before, line) || line != state_->heading;
  while (!state_->foreign && state_->finished.size() < plan.tasks.size() &&
         std::getline(before, line) && !before.eof()) {
    const std::size_t number = state_->finished.size();
    auto result = ParseLine(line, number, plan.tasks[number], digests);
    if (!result) break;
    state_->finished.push_back(std::move(*result));
  }
}

Journal::~Journal() = default;
Journal::Journal(Journal&&) noexcept = default;

bool Journal::foreign() const {
  return state_->foreign;
}
const std::vector<TaskResult>& Journal::finished() const {
  return state_->finished;
}

void Journal::Restart() {
  state_->finished.clear();
}

void Journal::Append(const TaskResult& result) {
  if (!state_->file.is_open()) {
    // The lines that were read are written again, so that a cut one is not kept.
    state_->file.open(state_->path, std::ios::trunc);
    state_->file << state_->heading << "\n";
    for (const TaskResult& earlier : state_->finished) {
      state_->file << Line(state_->next++, earlier);
    }
  }
  state_->file << Line(state_->next++, result) << std::flush;
  if (!state_->file) {
    throw Error(ErrorCode::kFailed, fmt::format("cannot write '{}'", state_->path.string()));
  }
}

void Journal::Remove() {
  state_->file.close();
  std::error_code ignored;
  std::filesystem::remove(state_->path, ignored);
}

}  // namespace weightsmith
