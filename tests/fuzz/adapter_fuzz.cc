// Any bytes as an adapter: two bytes with the length of its configuration (0: none), the
// configuration, a file. Its modules are told, computed for weights of their size, and baked into a
// small model; or it is refused with an Error.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/formats/checkpoint.h"
#include "core/io/memory_source.h"
#include "core/model/anatomy.h"
#include "merge/adapters/adapter.h"
#include "merge/adapters/made_for.h"
#include "merge/adapters/module_delta.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"

namespace {

using namespace weightsmith::internal;

constexpr std::uint64_t kMostElements = 1 << 14;

/// What seeds have modules for: matrices, a convolution, a bias, an embedding.
std::shared_ptr<const Checkpoint> MakeBase() {
  std::vector<CheckpointTensor> tensors;
  std::vector<std::shared_ptr<const ByteSource>> files;
  const auto add = [&](const char* name, Shape shape) {
    const auto values = std::make_shared<std::vector<float>>(ElementCount(shape).value(), 0.5f);
    tensors.push_back({.name = name,
                       .info = {DType::kF32, std::move(shape)},
                       .file = static_cast<std::uint32_t>(files.size())});
    files.push_back(
        std::make_shared<MemorySource>("memory", std::as_bytes(std::span(*values)), values));
  };
  add("c.bias", {8});
  add("c.weight", {8, 6, 3, 3});
  add("e.weight", {8, 6});
  add("x.bias", {8});
  add("x.weight", {8, 6});
  return Checkpoint::OfTensors(std::move(tensors), "base", std::move(files));
}

bool IsSmall(const AdapterModule& module) {
  return std::ranges::all_of(module.shapes, [](const auto& item) {
    return ElementCount(item.second).value_or(kMostElements + 1) <= kMostElements;
  });
}

void Compute(const Checkpoint& checkpoint, const AdapterModule& module, AdapterTarget target) {
  if (!Changes(module, target)) return;
  const MatrixSize size = SizeOf(module, target);
  const Shape shape{size.rows == 0 ? 8 : size.rows, size.columns == 0 ? 8 : size.columns};
  const auto elements = ElementCount(shape);
  if (!elements || *elements > kMostElements || !IsSmall(module)) return;
  const std::vector<float> weight(*elements, 0.5f);
  const AdapterValues values = ReadValues(checkpoint, module, 0.7);
  const auto rows = MakeDelta(module, target, values, {shape, weight});
  std::vector<float> delta(*elements);
  rows->Fill(0, delta);
}

void ComputeAll(const Checkpoint& checkpoint, const Adapter& adapter) {
  for (const auto* modules : {&adapter.modules, &adapter.plain}) {
    for (const AdapterModule& module : *modules) {
      if (module.family == nullptr) std::abort();
      if (!module.problem.empty()) continue;
      for (const AdapterTarget target : {AdapterTarget::kWeight, AdapterTarget::kBias}) {
        try {
          Compute(checkpoint, module, target);
        } catch (const Error& error) {
          if (error.message().empty()) std::abort();
        }
      }
    }
  }
}

Model ModelOf(const std::string& name, std::shared_ptr<const Checkpoint> checkpoint) {
  Model model;
  model.name = name;
  Anatomy anatomy = Examine(*checkpoint);
  model.parts.push_back({std::move(checkpoint), std::move(anatomy), std::nullopt});
  return model;
}

/// Looked through once, so that the time goes into adapters.
const Model& Base() {
  static const Model base = ModelOf("base", MakeBase());
  return base;
}

void Bake(std::shared_ptr<const Checkpoint> checkpoint, std::shared_ptr<const Adapter> adapter) {
  Expression expression;
  expression.models = {Base(), ModelOf("lora", std::move(checkpoint))};
  expression.models[1].adapter = std::move(adapter);
  expression.models[1].allow_unmatched = ".*";
  expression.nodes.resize(3);
  for (std::uint32_t i = 0; i < 2; ++i) {
    expression.nodes[i].name = expression.models[i].name;
    expression.nodes[i].model = i;
  }
  expression.nodes[1].kind = Kind::kDelta;
  Node& step = expression.nodes[2];
  step.name = "baked";
  step.op = FindOperator("bake");
  step.operands = {0};
  step.list = {1};
  step.weights = {Weights(0.7)};
  OutputSpec output;
  output.root = 2;
  output.path = "/nonexistent/out.safetensors";
  const Plan plan = MakePlan(expression, {output});
  RunOptions options;
  options.threads = 1;
  RunInMemory(plan, options);
}

void Take(const std::string& config, const std::string& path) {
  const std::shared_ptr<const Checkpoint> checkpoint = Checkpoint::Open(path);
  const auto adapter = std::make_shared<const Adapter>(
      config.empty() ? ReadAdapter(*checkpoint)
                     : ReadAdapter(*checkpoint, ParsePeftConfig(config, "adapter_config.json")));
  ComputeAll(*checkpoint, *adapter);
  if (std::ranges::all_of(adapter->modules, IsSmall)) Bake(checkpoint, adapter);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (size < 2) return 0;
  const std::size_t length = std::min<std::size_t>(data[0] | data[1] << 8, size - 2);
  const std::string config(reinterpret_cast<const char*>(data) + 2, length);
  data += 2 + length;
  size -= 2 + length;
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  try {
    Take(config, path);
  } catch (const Error& error) {
    if (error.message().empty()) std::abort();
  }
  return 0;
}
