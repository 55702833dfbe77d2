#include "core/model/architecture_names.h"

#include <algorithm>
#include <map>

namespace weightsmith::internal {
namespace {

std::string Folded(std::string_view words) {
  std::string folded;
  for (const char c : words) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool kept = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (kept) folded += lower;
  }
  return folded;
}

struct Meaning {
  std::string_view synth;
  const Architecture* architecture = nullptr;  // null of a part
};

using Index = std::map<std::string, Meaning, std::less<>>;

// Earlier names win: the exact ones come first, and the first variant stands for its architecture.
Index MakeIndex() {
  Index index;
  const auto add = [&](const std::string& name, std::string_view synth,
                       const Architecture* architecture) {
    if (!synth.empty()) index.try_emplace(Folded(name), Meaning{synth, architecture});
  };
  const auto each_row = [&](const auto& act) {
    for (const Architecture* architecture : Architectures()) {
      for (const ArchitectureRow& row : architecture->rows) act(*architecture, row);
    }
  };
  each_row([&](const Architecture& a, const ArchitectureRow& row) {
    add(std::string(row.synth), row.synth, &a);
  });
  for (const Part* part : Parts()) {
    for (const PartRow& row : part->rows) add(std::string(row.synth), row.synth, nullptr);
  }
  each_row([&](const Architecture& a, const ArchitectureRow& row) {
    const std::string variant(row.variant);
    add(std::string(a.id) + variant, row.synth, &a);
    add(std::string(a.title) + variant, row.synth, &a);
    add(std::string(row.modelspec), row.synth, &a);
  });
  each_row([&](const Architecture& a, const ArchitectureRow& row) {
    for (const std::string_view name : {a.id, a.title, a.modelspec}) {
      add(std::string(name), row.synth, &a);
    }
    for (const Nickname& called : a.nicknames) {
      if (called.synth == row.synth) add(std::string(called.name), row.synth, &a);
    }
  });
  index.erase("");
  return index;
}

const Meaning* Find(std::string_view words) {
  static const Index index = MakeIndex();
  const auto found = index.find(Folded(words));
  return found == index.end() ? nullptr : &found->second;
}

}  // namespace

std::optional<std::string> SynthNameOf(std::string_view words) {
  const Meaning* meaning = Find(words);
  if (meaning == nullptr) return std::nullopt;
  return std::string(meaning->synth);
}

const Architecture* ArchitectureOf(std::string_view words) {
  const Meaning* meaning = Find(words);
  return meaning == nullptr ? nullptr : meaning->architecture;
}

std::vector<std::string> KnownArchitectureNames() {
  std::vector<std::string> names;
  for (const Architecture* architecture : Architectures()) {
    names.emplace_back(architecture->id);
    for (const ArchitectureRow& row : architecture->rows) names.emplace_back(row.synth);
    for (const Nickname& called : architecture->nicknames) names.emplace_back(called.name);
  }
  std::erase(names, "");
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace weightsmith::internal
