// Small models for tests: files of named float tensors, and expressions over them.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/formats/safetensors/header.h"
#include "core/formats/safetensors/layout.h"
#include "core/io/output_file.h"
#include "core/model/anatomy.h"
#include "core/tensor/codec.h"
#include "merge/expression/expression.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {

/// Values that a 16-bit float holds exactly, different at every index up to 2001.
inline std::vector<double> PatternValues(std::size_t n, int seed) {
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = static_cast<double>((static_cast<int>(i) * 37 + seed * 101) % 2001 - 1000) / 1024;
  }
  return values;
}

using Tensors = std::map<std::string, std::vector<double>>;

class ModelMaker {
 public:
  std::filesystem::path Write(const std::string& name, DType dtype, const Tensors& tensors) const {
    std::vector<TensorSpec> specs;
    for (const auto& [key, values] : tensors) {
      const auto shape = shapes.find(key);
      specs.push_back({key, {dtype, shape == shapes.end() ? Shape{values.size()} : shape->second}});
    }
    const HeaderLayout layout = LayOut(specs, std::nullopt, 8);
    std::vector<std::byte> file(layout.file_size);
    std::ranges::copy(std::as_bytes(std::span(layout.header)), file.begin());
    for (const SafetensorsEntry& entry : layout.tensors) {
      Encode(dtype, std::span<const double>(tensors.at(entry.name)),
             std::span(file).subspan(layout.data_start + entry.begin, entry.end - entry.begin));
    }
    const std::filesystem::path path = scratch / (name + ".safetensors");
    WriteFile(path, file, {.overwrite = true});
    return path;
  }

  /// Adds a model and returns its node.
  NodeId Add(const std::string& name, DType dtype, const Tensors& tensors) {
    const auto checkpoint = Checkpoint::Open(Write(name, dtype, tensors));
    Model model{name, {}};
    model.parts.push_back({checkpoint, Examine(*checkpoint), std::nullopt});
    Node leaf;
    leaf.name = name;
    leaf.model = static_cast<std::uint32_t>(expression.models.size());
    expression.models.push_back(std::move(model));
    return AddNode(std::move(leaf));
  }

  NodeId Step(const std::string& name, const std::string& op, std::vector<NodeId> operands,
              const std::vector<double>& parameters) {
    Node step;
    step.name = name;
    step.op = FindOperator(op);
    step.operands = std::move(operands);
    for (const double parameter : parameters) step.parameters.emplace_back(parameter);
    step.policies = expression.policies;
    if (step.op->result == Kind::kDelta) step.kind = Kind::kDelta;
    return AddNode(std::move(step));
  }

  Plan MakePlanOf(NodeId root, std::optional<DType> dtype = std::nullopt) const {
    OutputSpec output;
    output.root = root;
    output.path = Out();
    if (dtype) output.dtype = PlaceMap<std::optional<StoredAs>>(std::optional<StoredAs>(dtype));
    return MakePlan(expression, {output});
  }

  std::filesystem::path Out() const { return scratch / "out.safetensors"; }

  static std::vector<double> ReadTensor(const std::filesystem::path& path,
                                        const std::string& name) {
    const auto checkpoint = Checkpoint::Open(path);
    const CheckpointTensor& tensor = *checkpoint->Find(name);
    std::vector<double> values(tensor.info.elements());
    Decode(tensor.info.dtype, checkpoint->Read(tensor), std::span(values));
    return values;
  }

  Scratch scratch;
  Expression expression;
  std::map<std::string, Shape> shapes;  ///< of tensors that are no vectors

 private:
  NodeId AddNode(Node node) {
    expression.nodes.push_back(std::move(node));
    return static_cast<NodeId>(expression.nodes.size() - 1);
  }
};

}  // namespace weightsmith::internal
