#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/formats/safetensors/header.h"
#include "core/formats/safetensors/layout.h"
#include "core/io/output_file.h"
#include "core/io/output_name.h"
#include "core/model/output_layout.h"
#include "python_bindings/bindings.h"
#include "python_bindings/items.h"

namespace weightsmith::internal::python {
namespace {

namespace nb = nanobind;

void StopIfAsked() {
  const nb::gil_scoped_acquire acquired;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

void WriteItem(const Item& item, std::uint64_t offset, OutputFile& file) {
  constexpr std::uint64_t kPiece = 4 << 20;
  const std::uint64_t size = item.info.bytes();
  std::vector<std::byte> read(item.lazy ? std::min(kPiece, size) : 0);
  for (std::uint64_t at = 0; at < size; at += kPiece) {
    StopIfAsked();
    const std::uint64_t n = std::min(kPiece, size - at);
    if (!item.lazy) {
      file.Write(offset + at, item.bytes().subspan(at, n));
      continue;
    }
    item.lazy->checkpoint->Read(*item.lazy->stored, at, std::span(read).first(n));
    file.Write(offset + at, std::span(read).first(n));
  }
}

void Save(const std::filesystem::path& path, const nb::dict& tensors,
          const std::optional<Metadata>& metadata, bool overwrite, bool sync) {
  std::map<std::string, Item, std::less<>> items;
  std::vector<TensorSpec> specs;
  for (const auto& [key, value] : tensors) {
    const auto name = nb::cast<std::string>(key);
    const Item& item = items.emplace(name, ItemOf(name, value)).first->second;
    specs.push_back({name, item.info});
  }
  const nb::gil_scoped_release released;
  ExpectOutputName(path, OutputKind::kFile);
  const HeaderLayout layout = LayOut(std::move(specs), metadata, kDataAlignment);
  OutputFile file(path, layout.file_size, {.overwrite = overwrite, .sync = sync});
  try {
    file.Write(0, std::as_bytes(std::span(layout.header)));
    for (const SafetensorsEntry& entry : layout.tensors) {
      WriteItem(items.find(entry.name)->second, layout.data_start + entry.begin, file);
    }
    file.Commit();
  } catch (...) {
    file.Discard();
    throw;
  }
}

/// Throws for a name of an output that does not say what is written.
void ExpectNameOfOutput(const std::filesystem::path& path, const std::optional<std::string>& layout,
                        bool split) {
  const auto named = layout ? OutputLayoutByWord(*layout) : std::nullopt;
  const OutputLayout written = named.value_or(OutputLayout::kKeep);
  const bool file = FormOf(written, split, path) == FileForm::kOne;
  ExpectOutputName(path, file ? OutputKind::kFile : OutputKind::kFolder);
}

}  // namespace

void BindSave(nb::module_& module) {
  module.def(
      "save", &Save, nb::arg("path"), nb::arg("tensors"), nb::arg("metadata").none(),
      nb::arg("overwrite"), nb::arg("sync"),
      nb::sig("def save(path: str, tensors: dict[str, typing.Any], metadata: dict[str, str] | "
              "None, overwrite: bool, sync: bool) -> None"));
  module.def("expect_output_name", &ExpectNameOfOutput, nb::arg("path"), nb::arg("layout").none(),
             nb::arg("split"),
             nb::sig("def expect_output_name(path: str, layout: str | None, split: bool) -> None"));
}

}  // namespace weightsmith::internal::python
