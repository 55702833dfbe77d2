// Look at several weights of a merge before one of them is chosen:
//   sweep photo.safetensors anime.safetensors TENSOR FOLDER
// Prints how one tensor of each variant is spread, computing nothing else, and writes all three.
#include <weightsmith/weightsmith.h>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace ws = weightsmith;

namespace {

/// The standard deviation of a tensor's elements.
double Spread(const ws::Tensor& tensor) {
  double sum = 0;
  double squares = 0;
  const std::vector<float> values = tensor.Floats();
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(values.size());
  return std::sqrt(squares / count - sum * sum / (count * count));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "sweep A B TENSOR FOLDER\n";
    return 2;
  }
  try {
    // The files are opened once, and are of all variants.
    const ws::Model a = ws::Model::Open(argv[1]);
    const ws::Model b = ws::Model::Open(argv[2]);
    const std::filesystem::path folder = argv[4];
    for (const double alpha : {0.25, 0.5, 0.75}) {
      const ws::Model variant = ws::Apply("weighted_sum", {a, b}, {{"alpha", alpha}});
      std::cout << "alpha " << alpha << ": spread " << Spread(variant[argv[3]]) << '\n';
      const std::string name = "alpha-" + std::to_string(alpha).substr(0, 4) + ".safetensors";
      variant.Save(folder / name, {}, {.overwrite = true, .make_folders = true, .sync = false});
    }
  } catch (const ws::Error& error) {
    std::cerr << "error: " << error.what() << '\n' << error.advice() << '\n';
    return static_cast<int>(error.code());
  }
}
