#include "core/base/version.h"

#include <elf.h>
#include <link.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weightsmith {

std::string_view Version() {
  return WEIGHTSMITH_VERSION;
}

namespace internal {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

/// The build ID in the notes of a loaded program or library; empty where it has none.
std::string IdInNotes(const std::byte* notes, std::size_t size) {
  const auto padded = [](std::size_t length) { return (length + 3) / 4 * 4; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes, sizeof(head));
    const std::size_t whole = sizeof(head) + padded(head.n_namesz) + padded(head.n_descsz);
    if (whole > size) break;
    const std::byte* name = notes + sizeof(head);
    if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
      std::string digits;
      const std::byte* id = name + padded(head.n_namesz);
      for (std::size_t i = 0; i < head.n_descsz; ++i) {
        const auto byte = std::to_integer<unsigned>(id[i]);
        digits += kHexDigits[byte >> 4];
        digits += kHexDigits[byte & 15];
      }
      return digits;
    }
    notes += whole;
    size -= whole;
  }
  return {};
}

struct Search {
  std::uintptr_t code = 0;  ///< an address of this code
  std::string id;
};

/// Takes the ID of the program or library that this code is part of.
int Visit(dl_phdr_info* info, std::size_t /*size*/, void* data) {
  auto& search = *static_cast<Search*>(data);
  bool ours = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    const std::uintptr_t start = info->dlpi_addr + part.p_vaddr;
    ours = ours ||
           (part.p_type == PT_LOAD && search.code >= start && search.code - start < part.p_memsz);
  }
  if (!ours) return 0;
  for (int i = 0; i < info->dlpi_phnum && search.id.empty(); ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    if (part.p_type != PT_NOTE) continue;
    search.id =
        IdInNotes(std::bit_cast<const std::byte*>(info->dlpi_addr + part.p_vaddr), part.p_memsz);
  }
  return 1;
}

}  // namespace

const std::string& BuildId() {
  static const std::string id = [] {
    Search search{reinterpret_cast<std::uintptr_t>(&Version), {}};
    ::dl_iterate_phdr(Visit, &search);
    return search.id;
  }();
  return id;
}

}  // namespace internal
}  // namespace weightsmith
