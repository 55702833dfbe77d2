// Any bytes as a file of adapters: its modules are told, fitted to a weight and computed, or
// refused with an Error.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/adapters/adapter.h"
#include "core/adapters/made_for.h"
#include "core/adapters/module_delta.h"
#include "core/checkpoint.h"
#include "core/error.h"

namespace {

using namespace weightsmith;

constexpr std::uint64_t kMostElements = 1 << 16;

void Compute(const Checkpoint& checkpoint, const Adapter& adapter, const AdapterModule& module,
             AdapterTarget target) {
  if (!Changes(module, target)) return;
  const MatrixSize size = SizeOf(module, target);
  const Shape shape{size.rows == 0 ? 8 : size.rows, size.columns == 0 ? 8 : size.columns};
  const auto elements = ElementCount(shape);
  if (!elements || *elements > kMostElements) return;
  for (const auto& [role, own] : module.shapes) {
    if (ElementCount(own).value_or(kMostElements + 1) > kMostElements) return;
  }
  const std::vector<float> weight(*elements, 0.5f);
  const AdapterValues values = ReadValues(checkpoint, adapter, module, 0.7);
  const auto rows = MakeDelta(module, target, values, {shape, weight});
  std::vector<float> delta(*elements);
  rows->Fill(0, delta);
}

void Take(const Checkpoint& checkpoint) {
  const Adapter adapter = ReadAdapter(checkpoint);
  for (const auto* modules : {&adapter.modules, &adapter.plain}) {
    for (const AdapterModule& module : *modules) {
      if (module.family == nullptr) std::abort();
      if (!module.problem.empty()) continue;
      for (const AdapterTarget target : {AdapterTarget::kWeight, AdapterTarget::kBias}) {
        try {
          Compute(checkpoint, adapter, module, target);
        } catch (const Error& error) {
          if (error.message().empty()) std::abort();
        }
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  try {
    Take(*Checkpoint::Open(path));
  } catch (const Error& error) {
    if (error.message().empty()) std::abort();
  }
  return 0;
}
