#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/formats/torch/scan_path.h"
#include "python_bindings/bindings.h"
#include "python_bindings/watch.h"
#include "recipes/jobs/checkpoint_info_json.h"
#include "recipes/jobs/scan_json.h"
#include "recipes/jobs/verification_json.h"

namespace weightsmith::internal::python {
namespace {

namespace nb = nanobind;

std::string InfoOf(const std::filesystem::path& path, bool tensors, const std::string& key) {
  return InfoJson(ReadInfo(path, key), tensors);
}

std::string ScanOf(const std::vector<std::filesystem::path>& paths) {
  std::vector<ScannedFile> files;
  for (const std::filesystem::path& path : paths) {
    std::vector<ScannedFile> found = WithContext("scan", [&] { return ScanPath(path); });
    files.insert(files.end(), std::make_move_iterator(found.begin()),
                 std::make_move_iterator(found.end()));
  }
  return ScanJson(files);
}

/// The result, JSON, and the message and advice of what is wrong.
nb::tuple VerifyOf(const std::filesystem::path& path,
                   const std::vector<std::filesystem::path>& folders,
                   const std::map<std::string, std::filesystem::path>& models, bool recompute,
                   const nb::object& progress) {
  VerifyRequest request;
  request.path = path;
  request.model_folders = folders;
  request.models = models;
  request.recompute = recompute;
  Verification found;
  RunWatched({}, "reading", progress, [&](const RunOptions& watched, const auto& phase) {
    Verify(request, watched, phase, found);
  });
  if (found.problems.empty()) return nb::make_tuple(VerificationJson(found), "", "");
  const Error error = VerificationError(found);
  return nb::make_tuple(VerificationJson(found), error.what(), AdviceOf(error));
}

/// Bytes of "2GB"; throws kUsage for what is no size, naming the argument `what`.
std::uint64_t BytesOf(const std::string& what, const std::string& words) {
  const auto bytes = ParseBytes(words);
  if (!bytes) {
    throw Error(ErrorCode::kUsage, what + " is " + Quote(words) + ", which is no size",
                "Write such as 2GB or 500MiB.");
  }
  return *bytes;
}

}  // namespace

void BindJobs(nb::module_& module) {
  module.def("info", &InfoOf, nb::arg("path"), nb::arg("tensors"), nb::arg("key"),
             nb::call_guard<nb::gil_scoped_release>());
  module.def("scan", &ScanOf, nb::arg("paths"), nb::call_guard<nb::gil_scoped_release>());
  module.def(
      "verify", &VerifyOf, nb::arg("path"), nb::arg("folders"), nb::arg("models"),
      nb::arg("recompute"), nb::arg("progress").none(),
      nb::sig("def verify(path: str, folders: collections.abc.Sequence[str], models: "
              "collections.abc.Mapping[str, str], recompute: bool, progress: "
              "typing.Callable[[str, int, int, float], object] | None) -> tuple[str, str, str]"));
  module.def("parse_bytes", &BytesOf, nb::arg("what"), nb::arg("words"));
}

}  // namespace weightsmith::internal::python
