// Merge two models and bake a LoRA into the result, in one pass over the files:
//   merge_and_bake photo.safetensors anime.safetensors detail.safetensors merged.safetensors
// Ctrl-C stops it; the same command goes on from there.
#include <weightsmith/weightsmith.h>

#include <atomic>
#include <csignal>
#include <iomanip>
#include <iostream>

namespace ws = weightsmith;

namespace {

std::atomic<bool> stop{false};

extern "C" void Stop(int /*signal*/) {
  stop = true;
}

/// Shows how far the run is, where that has changed.
class ShownProgress {
 public:
  bool operator()(const ws::Progress& progress) {
    const auto done = static_cast<double>(progress.bytes_done);
    const auto total = static_cast<double>(progress.bytes_total);
    const int percent = total == 0 ? 100 : static_cast<int>(100 * done / total);
    if (percent != shown_) std::cerr << '\r' << progress.phase << ' ' << percent << " %";
    shown_ = percent;
    return true;
  }

 private:
  int shown_ = -1;
};

void Print(const ws::Report& report) {
  for (const ws::StepReport& step : report.steps) {
    std::cout << step.name << ": " << step.elements_changed << " of " << step.elements
              << " elements changed";
    if (step.relative_change) std::cout << ", relative change " << *step.relative_change;
    std::cout << '\n';
  }
  for (const ws::AdapterResult& adapter : report.adapters) {
    std::cout << adapter.name << ": " << adapter.applied.size() << " modules applied\n";
  }
  for (const std::string& warning : report.warnings) std::cout << "warning: " << warning << '\n';
  for (const ws::OutputReport& output : report.outputs) {
    std::cout << output.path.string() << ": " << output.tensors << " tensors, " << output.bytes
              << " bytes, " << std::setprecision(2) << report.seconds << " s\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "merge_and_bake A B LORA OUTPUT\n";
    return 2;
  }
  std::signal(SIGINT, Stop);
  try {
    const ws::Model a = ws::Model::Open(argv[1]);
    const ws::Model b = ws::Model::Open(argv[2]);
    const ws::Model mixed =
        ws::Apply("weighted_sum", {a, b}, {{"alpha", ws::ByPlace{{"default", 0.3}, {"te", 0.1}}}});
    const ws::Model model = mixed.Bake(argv[3], 0.6);

    const ws::Plan plan = model.Plan();
    std::cout << "reads " << plan.bytes_to_read << " bytes and holds at most " << plan.peak_memory
              << '\n';
    const ws::Report report = model.Save(
        argv[4], {.metadata = {{"title", "Photo and anime"}}},
        {.progress = ShownProgress(), .cancel = &stop, .overwrite = true, .resume = true});
    std::cerr << '\n';
    Print(report);
  } catch (const ws::Error& error) {
    std::cerr << "error: " << error.what() << '\n' << error.advice() << '\n';
    for (const ws::Option option : error.options()) std::cerr << ws::NameOf(option) << " helps\n";
    return static_cast<int>(error.code());
  }
}
