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

/// The configurations of another model, beside the weights.
void CopyFiles(const OutputSpec& spec, const fs::path& from) {
  switch (FormOf(spec.layout, spec.split, spec.path)) {
    case FileForm::kPipeline:
      return CopyPipelineConfiguration(from, spec.path);
    case FileForm::kSplit:
      return CopyConfiguration(from, spec.path);
    case FileForm::kOne:
      const fs::path folder = spec.path.parent_path();
      return CopyConfiguration(from, folder.empty() ? fs::path(".") : folder);
  }
}

/// Our own, where none was copied.
void WriteTexts(const OutputPlan& output, const OutputOptions& options) {
  for (const FileSet::Text& text : output.texts) {
    const fs::path path = output.spec.path / text.path;
    std::error_code ignored;
    if (output.spec.files_from && fs::exists(path, ignored)) continue;
    WriteFile(path, std::as_bytes(std::span(text.text)),
              {.overwrite = options.overwrite, .make_folders = true, .sync = options.sync});
  }
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

void ExpectReplaceable(std::span<const FileSet::Text> texts, const fs::path& folder,
                       bool overwrite) {
  for (const FileSet::Text& text : texts) {
    std::error_code ignored;
    if (overwrite || !fs::exists(folder / text.path, ignored)) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("the output '{}' exists", (folder / text.path).string()),
                "Choose another folder.", {Option::kOverwrite});
  }
}

void CommitOutputs(const Plan& plan, const Report& report, const OutputOptions& options,
                   std::vector<OutputFile>& files) {
  for (std::size_t f = 0; f < files.size(); ++f) WriteHeader(plan, report, f, files[f]);
  for (OutputFile& file : files) file.Commit();
  for (const OutputPlan& output : plan.outputs) {
    if (output.index) WriteIndex(plan, output, options);
    if (output.spec.files_from) CopyFiles(output.spec, *output.spec.files_from);
    WriteTexts(output, options);
  }
}

}  // namespace weightsmith
