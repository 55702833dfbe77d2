#include "merge/commit.h"

#include <fmt/core.h>

#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/configuration_files.h"

namespace weightsmith {
namespace {

namespace fs = std::filesystem;

void WriteHeader(const Plan& plan, const Report& report, std::size_t number, OutputFile& file) {
  const OutputFilePlan& planned = plan.output_files[number];
  const OutputSpec& spec = plan.outputs[planned.output].spec;
  std::string header = planned.layout.header;
  if (spec.metadata) {
    const auto metadata = spec.metadata(DigestsOf(plan, report, number));
    header = ReplaceMetadata(planned.layout, metadata).value();
  }
  file.Write(0, std::as_bytes(std::span(header)));
}

void WriteIndex(const Plan& plan, const OutputPlan& output, const OutputOptions& options) {
  nlohmann::ordered_json index;
  std::uint64_t total = 0;
  std::map<std::string, std::string> weight_map;
  for (const std::uint32_t file : output.files) {
    const OutputFilePlan& planned = plan.output_files[file];
    total += planned.layout.file_size - planned.layout.data_start;
    for (const SafetensorsEntry& entry : planned.layout.tensors) {
      weight_map[entry.name] = planned.path.filename().string();
    }
  }
  index["metadata"]["total_size"] = total;
  index["weight_map"] = weight_map;
  const std::string text = index.dump(2) + "\n";
  WriteFile(*output.index, std::as_bytes(std::span(text)), options);
}

}  // namespace

void RefuseInputsAsOutputs(const Plan& plan) {
  for (const OutputFilePlan& output : plan.output_files) {
    const auto existing = IdentifyFile(output.path);
    for (const auto& input : plan.files) {
      if (!existing || !existing->SameFile(input->identity())) continue;
      throw Error(ErrorCode::kUsage,
                  fmt::format("the output '{}' is the input '{}'", output.path.string(),
                              input->path().string()),
                  "Write to another name: inputs are never overwritten.");
    }
  }
}

void CommitOutputs(const Plan& plan, const Report& report, const OutputOptions& options,
                   std::vector<OutputFile>& files) {
  for (std::size_t f = 0; f < files.size(); ++f) WriteHeader(plan, report, f, files[f]);
  for (OutputFile& file : files) file.Commit();
  for (const OutputPlan& output : plan.outputs) {
    if (output.index) WriteIndex(plan, output, options);
    if (!output.spec.files_from) continue;
    const fs::path folder = output.spec.split ? output.spec.path : output.spec.path.parent_path();
    CopyConfiguration(*output.spec.files_from, folder.empty() ? fs::path(".") : folder);
  }
}

}  // namespace weightsmith
