// What the readers and writers of core do with files, for tests in other languages:
//   header_probe FILE…                  one line of JSON a file: its table, or the error
//   header_probe --rewrite N IN OUT     lays IN out anew with alignment N, and writes it to OUT
// A file named "-" stands for the names that standard input lists, one a line.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/formats/checkpoint.h"
#include "core/formats/safetensors/header.h"
#include "core/formats/safetensors/layout.h"
#include "core/io/output_file.h"

namespace {

using namespace weightsmith::internal;
using nlohmann::json;

json Describe(const std::string& path) {
  try {
    const auto checkpoint = Checkpoint::Open(path);
    json tensors = json::object();
    for (const CheckpointTensor& tensor : checkpoint->tensors()) {
      tensors[tensor.name] = {{"dtype", Info(tensor.info.dtype).name},
                              {"shape", tensor.info.shape},
                              {"file", tensor.file},
                              {"offset", tensor.offset},
                              {"bytes", tensor.info.bytes()}};
    }
    json table = {{"ok", true}, {"tensors", std::move(tensors)}, {"metadata", nullptr}};
    if (checkpoint->metadata()) table["metadata"] = *checkpoint->metadata();
    return table;
  } catch (const Error& error) {
    return {{"ok", false},
            {"code", static_cast<int>(error.code())},
            {"message", error.what()},
            {"advice", error.advice()}};
  }
}

void Rewrite(std::uint64_t alignment, const std::string& from, const std::string& to) {
  const auto checkpoint = Checkpoint::Open(from);
  std::vector<TensorSpec> specs;
  for (const CheckpointTensor& tensor : checkpoint->tensors()) {
    specs.push_back({tensor.name, tensor.info});
  }
  const HeaderLayout layout = LayOut(std::move(specs), checkpoint->metadata(), alignment);
  OutputFile file(to, layout.file_size, {.overwrite = true, .sync = false});
  file.Write(0, std::as_bytes(std::span(layout.header)));
  for (const SafetensorsEntry& entry : layout.tensors) {
    file.Write(layout.data_start + entry.begin, checkpoint->Read(*checkpoint->Find(entry.name)));
  }
  file.Commit();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 4 && arguments[0] == "--rewrite") {
    try {
      Rewrite(std::stoull(arguments[1]), arguments[2], arguments[3]);
    } catch (const Error& error) {
      fmt::print(stderr, "{}\n", error.what());
      return static_cast<int>(error.code());
    }
    return 0;
  }
  const auto print = [](const std::string& path) { std::cout << Describe(path).dump() << '\n'; };
  for (const std::string& path : arguments) {
    if (path != "-") {
      print(path);
      continue;
    }
    for (std::string line; std::getline(std::cin, line);) print(line);
  }
}
