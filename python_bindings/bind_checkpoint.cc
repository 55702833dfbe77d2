#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/model/anatomy.h"
#include "core/model/open_as_stored.h"
#include "core/model/views/canonical_view.h"
#include "merge/run/tensor_blocks.h"
#include "python_bindings/bindings.h"
#include "python_bindings/handles.h"
#include "python_bindings/items.h"

namespace weightsmith::internal::python {
namespace {

namespace nb = nanobind;

/// What Python holds, until the last of ours is done with it.
std::shared_ptr<void> KeptBy(std::shared_ptr<Item> item) {
  return {item.get(), [item](void*) mutable {
            const nb::gil_scoped_acquire acquired;
            item.reset();
          }};
}

OpenCheckpoint OfTensors(const nb::dict& entries, const std::string& name) {
  std::vector<CheckpointTensor> tensors;
  std::vector<std::shared_ptr<const ByteSource>> files;
  for (const auto& [key, value] : entries) {
    CheckpointTensor& tensor = tensors.emplace_back();
    tensor.name = nb::cast<std::string>(key);
    auto item = std::make_shared<Item>(ItemOf(tensor.name, value));
    tensor.info = item->info;
    tensor.file = static_cast<std::uint32_t>(files.size());
    const bool in_file = item->lazy && item->lazy->stored->gather == nullptr;
    if (in_file) {
      tensor.offset = item->lazy->stored->offset;
      files.push_back(item->lazy->checkpoint->files()[item->lazy->stored->file]);
    } else if (item->lazy) {
      const auto bytes = item->lazy->Copy();
      files.push_back(std::make_shared<MemorySource>(name, bytes->bytes(), bytes));
    } else {
      const std::span<const std::byte> bytes = item->bytes();
      files.push_back(std::make_shared<MemorySource>(name, bytes, KeptBy(std::move(item))));
    }
  }
  return {Checkpoint::OfTensors(std::move(tensors), name, std::move(files))};
}

nb::list Keys(const OpenCheckpoint& open) {
  nb::list names;
  for (const CheckpointTensor& tensor : open.checkpoint->tensors()) names.append(tensor.name);
  return names;
}

nb::object MetadataOf(const OpenCheckpoint& open) {
  const auto& stored = open.checkpoint->metadata();
  if (!stored) return nb::none();
  nb::dict metadata;
  for (const auto& [key, value] : *stored) metadata[nb::cast(key)] = value;
  return metadata;
}

/// What the header says of the whole: see weightsmith/_checkpoint.py.
nb::dict AnatomyOf(const OpenCheckpoint& open) {
  const Checkpoint& checkpoint = *open.checkpoint;
  const Anatomy anatomy = [&] {
    const nb::gil_scoped_release released;
    return Examine(checkpoint);
  }();
  std::vector<nb::list> names(anatomy.components.size());
  for (std::size_t t = 0; t < anatomy.tensors.size(); ++t) {
    names[anatomy.tensors[t].component].append(checkpoint.tensors()[t].name);
  }
  nb::dict components;
  for (std::size_t c = 0; c < names.size(); ++c) {
    components[anatomy.components[c].name.c_str()] = nb::tuple(names[c]);
  }
  nb::dict all;
  all["architecture"] = anatomy.id;
  all["variant"] = anatomy.variant;
  all["layout"] = anatomy.layout;
  all["components"] = components;
  return all;
}

nb::list Blocks(const OpenCheckpoint& open) {
  const std::vector<TensorBlock> blocks = [&] {
    const nb::gil_scoped_release released;
    Model model;
    const auto checkpoint = CanonicalView(open.checkpoint);
    model.parts.push_back({checkpoint, Examine(*checkpoint), std::nullopt});
    return BlocksOfTensors(model);
  }();
  nb::list all;
  for (const TensorBlock& block : blocks) {
    const nb::object place = block.place.empty() ? nb::none() : nb::cast(block.place);
    all.append(nb::make_tuple(block.name, block.block, place));
  }
  return all;
}

}  // namespace

void BindCheckpoint(nb::module_& module) {
  nb::class_<OpenCheckpoint>(module, "Checkpoint")
      .def_static(
          "open",
          [](const std::filesystem::path& path, const std::string& key) {
            return OpenCheckpoint{OpenAsStored(path, std::nullopt, key)};
          },
          nb::arg("path"), nb::arg("key") = "", nb::call_guard<nb::gil_scoped_release>())
      .def_static(
          "of_tensors", &OfTensors, nb::arg("tensors"), nb::arg("name"),
          nb::sig("def of_tensors(tensors: dict[str, typing.Any], name: str) -> Checkpoint"))
      .def_prop_ro("format",
                   [](const OpenCheckpoint& open) {
                     return std::string(ToString(open.checkpoint->format()));
                   })
      .def_prop_ro("metadata", &MetadataOf,
                   nb::for_getter(nb::sig("def metadata(self) -> dict[str, str] | None")))
      .def("keys", &Keys, nb::sig("def keys(self) -> list[str]"))
      .def(
          "has",
          [](const OpenCheckpoint& open, const std::string& name) {
            return open.checkpoint->Find(name) != nullptr;
          },
          nb::arg("name"))
      .def("anatomy", &AnatomyOf, nb::sig("def anatomy(self) -> dict[str, typing.Any]"))
      .def("blocks", &Blocks, nb::sig("def blocks(self) -> list[tuple[str, str, str | None]]"));
}

}  // namespace weightsmith::internal::python
