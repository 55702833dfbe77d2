// What a run of many outputs holds: two models are blended by as many weights into as many files in
// one run. Prints what the plan said of its memory, and what the process held at most.
//
//   many_outputs A B FOLDER [OUTPUTS [THREADS]]      64 outputs on 16 threads, unless given
#include <fmt/core.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/io/machine.h"
#include "core/model/anatomy.h"
#include "merge/operator.h"
#include "merge/run/executor.h"

namespace weightsmith::internal {
namespace {

NodeId Add(Expression& expression, const std::string& name, const std::filesystem::path& path) {
  const auto checkpoint = Checkpoint::Open(path);
  Model model{name, {}};
  model.parts.push_back({checkpoint, Examine(*checkpoint), std::nullopt});
  Node leaf;
  leaf.name = name;
  leaf.model = static_cast<std::uint32_t>(expression.models.size());
  expression.models.push_back(std::move(model));
  expression.nodes.push_back(std::move(leaf));
  return static_cast<NodeId>(expression.nodes.size() - 1);
}

Plan Blends(Expression expression, NodeId a, NodeId b, const std::filesystem::path& folder,
            int count) {
  std::vector<OutputSpec> outputs;
  for (int i = 1; i <= count; ++i) {
    Node step;
    step.name = fmt::format("mix_{}", i);
    step.op = FindOperator("weighted_sum");
    step.operands = {a, b};
    step.parameters.emplace_back(i / (count + 1.0));
    expression.nodes.push_back(std::move(step));
    OutputSpec& output = outputs.emplace_back();
    output.root = static_cast<NodeId>(expression.nodes.size() - 1);
    output.path = folder / fmt::format("{}.safetensors", i);
  }
  return MakePlan(expression, std::move(outputs));
}

int Main(int argc, char** argv) {
  if (argc < 4 || argc > 6) {
    fmt::print(stderr, "usage: many_outputs A B FOLDER [OUTPUTS [THREADS]]\n");
    return 2;
  }
  const int count = argc > 4 ? std::atoi(argv[4]) : 64;
  Expression expression;
  const NodeId a = Add(expression, "a", argv[1]);
  const NodeId b = Add(expression, "b", argv[2]);
  const Plan plan = Blends(std::move(expression), a, b, argv[3], count);
  RunOptions options;
  options.threads = argc > 5 ? std::atoi(argv[5]) : 16;
  options.max_memory = std::uint64_t{1} << 30;
  options.sync = false;
  options.overwrite = true;
  fmt::print("planned: at most {}\n", FormatBytes(PeakMemory(plan, options)));
  const Report report = Run(plan, options);
  fmt::print("held: at most {}, in {:.1f} s\n", FormatBytes(PeakResidentMemory()), report.seconds);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace weightsmith::internal

int main(int argc, char** argv) {
  try {
    return weightsmith::internal::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "many_outputs: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
