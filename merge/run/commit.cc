#include "merge/run/commit.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>

#include "core/base/json-inl.h"
#include "core/formats/safetensors/layout.h"
#include "core/io/configuration_files.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

std::string HeaderOf(const Plan& plan, const Report& report, std::size_t number) {
  const OutputFilePlan& planned = plan.output_files[number];
  const OutputSpec& spec = plan.outputs[planned.output].spec;
  if (!spec.metadata) return planned.layout.header;
  const auto metadata = spec.metadata(DigestsOf(plan, report, number));
  return ReplaceMetadata(planned.layout, metadata).value();
}

/// Writes a text that an earlier attempt may have written already.
void WriteText(const fs::path& path, std::string_view text, const OutputOptions& options) {
  const auto there = IdentifyFile(path);
  if (there && there->size == text.size()) {
    const auto file = OpenByteSource(path, IoBackend::kRead);
    if (ReadText(*file, 0, file->size()) == text) return;
  }
  WriteFile(path, std::as_bytes(std::span(text)), options);
}

void WriteIndex(const Plan& plan, const OutputPlan& output, const OutputOptions& options) {
  Json index;
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
  WriteText(*output.index, ToText(index), options);
}

/// Our own configurations, where none was copied.
void WriteTexts(const OutputPlan& output, const OutputOptions& options) {
  for (const FileSet::Text& text : output.texts) {
    const fs::path path = output.text_folder / text.path;
    if (std::ranges::find(output.copies, path, &FileCopy::to) != output.copies.end()) continue;
    WriteText(path, text.text, options);
  }
}

}  // namespace

bool EndsInOneStep(const Plan& plan) {
  return plan.output_files.size() == 1 && std::ranges::all_of(plan.outputs, [](const auto& output) {
           return !output.index && output.copies.empty() && output.texts.empty();
         });
}

void WriteHeaders(const Plan& plan, const Report& report, const std::vector<OutputFile*>& files) {
  for (std::size_t f = 0; f < files.size(); ++f) {
    if (files[f] == nullptr) continue;
    const std::string header = HeaderOf(plan, report, f);
    files[f]->Write(0, std::as_bytes(std::span(header)));
  }
}

void SyncOutputs(const std::vector<OutputFile*>& files) {
  for (OutputFile* file : files) {
    if (file != nullptr) file->Sync();
  }
}

void PublishOutputs(const Plan& plan, const RunOptions& options,
                    const std::vector<OutputFile*>& files) {
  std::set<fs::path> folders;
  for (const OutputFilePlan& file : plan.output_files) folders.insert(FolderOf(file.path));
  for (OutputFile* file : files) {
    if (file != nullptr) file->Publish();
  }
  for (const fs::path& folder : folders) {
    if (options.sync) SyncFolder(folder);
  }
  const OutputOptions beside{
      .overwrite = options.overwrite, .make_folders = true, .sync = options.sync};
  for (const OutputPlan& output : plan.outputs) {
    for (const FileCopy& copy : output.copies) CopyFile(copy, beside);
    WriteTexts(output, beside);
    if (output.index) WriteIndex(plan, output, beside);
  }
}

}  // namespace weightsmith::internal
