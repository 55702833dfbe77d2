// Does what docs/cpp.md shows, by the installed library: judges and runs the recipe that it is
// given, makes the same of functions, and prints what came out.
#include <weightsmith/weightsmith.h>

#include <iostream>

namespace ws = weightsmith;

namespace {

void Merge(const char* path) {
  const ws::Validation judged = ws::Validate(path);
  for (const ws::Problem& problem : judged.errors) {
    std::cerr << problem.file << ':' << problem.line << ": " << problem.message << '\n';
  }
  if (!judged.valid()) throw ws::Error(ws::ErrorCode::kUsage, "the recipe is not valid");
  const ws::Report report = ws::Recipe::Load(path).Run();
  for (const ws::OutputReport& output : report.outputs) {
    const ws::Checkpoint checkpoint = ws::Checkpoint::Open(output.path);
    for (const std::string& name : checkpoint.names()) {
      const ws::TensorInfo& info = checkpoint[name].info();
      std::cout << name << ' ' << ws::Info(info.dtype).name << ' ' << ws::ToString(info.shape)
                << '\n';
    }
    std::cout << (ws::Verify(output.path).right ? "right" : "wrong") << '\n';
  }
}

/// The same as the recipe of the test, of its two files.
void MergeByFunctions(const char* a, const char* b, const char* output) {
  const ws::Model mix =
      ws::Apply("weighted_sum", {ws::Model::Open(a), ws::Model::Open(b)}, {{"alpha", 0.5}});
  const ws::Tensor first = mix[mix.names().front()];
  mix.Save(output, {.metadata = {{"title", "theirs"}}});
  const bool same = first.Read() == ws::Checkpoint::Open(output)[first.name()].Read();
  std::cout << first.name() << (same ? " is the same\n" : " differs\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    std::cout << ws::Version() << ", " << ws::operators::All().size() << " operators\n";
    Merge(argv[1]);
    MergeByFunctions(argv[2], argv[3], argv[4]);
  } catch (const ws::RecipeError& error) {
    for (const ws::Problem& problem : error.problems()) std::cerr << problem.message << '\n';
    return static_cast<int>(error.code());
  } catch (const ws::Error& error) {
    std::cerr << error.what() << '\n' << error.advice() << '\n';
    return static_cast<int>(error.code());
  }
}
