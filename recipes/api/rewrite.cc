#include <weightsmith/rewrite.h>

#include <string>
#include <utility>
#include <variant>

#include "recipes/api/guarded.h"
#include "recipes/api/report_result.h"
#include "recipes/api/watch.h"
#include "recipes/jobs/assemble.h"
#include "recipes/jobs/convert.h"
#include "recipes/jobs/prepared_plan.h"
#include "recipes/jobs/split.h"

namespace weightsmith {
namespace {

/// Runs the job that `make` gives.
template <class Make>
Report Rewrite(const RunOptions& run, const char* phase, Make make) {
  return internal::Guarded([&] {
    internal::Watch watch(run, phase);
    const internal::PreparedPlan prepared(make());
    const internal::Report report =
        watch.Run([&](const auto& engine) { return prepared.Run(engine); });
    return internal::ReportResultOf(prepared, report);
  });
}

internal::StoredAs Stored(const std::variant<DType, std::string>& named) {
  if (const DType* dtype = std::get_if<DType>(&named)) return *dtype;
  return internal::StorageNamed(std::get<std::string>(named));
}

}  // namespace

Report Split(const std::filesystem::path& path, const std::filesystem::path& folder,
             const std::vector<std::string>& components, const RunOptions& run) {
  return Rewrite(run, "splitting", [&] { return internal::SplitJob(path, folder, components); });
}

Report Assemble(const std::string& like, const std::map<std::string, std::filesystem::path>& parts,
                const std::filesystem::path& output, const RunOptions& run) {
  return Rewrite(run, "assembling", [&] { return internal::AssembleJob(like, parts, output); });
}

Report Convert(const std::filesystem::path& path, const std::filesystem::path& output,
               const ConvertOptions& options, const RunOptions& run) {
  return Rewrite(run, "converting", [&] {
    internal::ConvertRequest request;
    request.path = path;
    request.key = options.key;
    request.output = output;
    if (options.dtype) request.dtype = Stored(*options.dtype);
    request.components = options.components;
    request.prune = options.prune;
    request.fix = options.fix;
    if (!options.layout.empty()) request.layout = internal::LayoutNamed(options.layout);
    if (!options.files_from.empty()) request.files_from = options.files_from;
    return internal::ConvertJob(request);
  });
}

}  // namespace weightsmith
