#include "core/model/text_encoders.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace weightsmith::internal {
namespace {

/// Variants of an architecture differ in their diffusion models alone.
std::vector<ComponentRule> ComponentsOf(const Architecture& architecture) {
  return architecture.rows.front().components();
}

/// Of encoders that have one number in all architectures.
std::map<std::string, std::uint32_t, std::less<>> CommonNumbers() {
  std::map<std::string, std::uint32_t, std::less<>> numbers;
  for (const Architecture* architecture : Architectures()) {
    const std::vector<ComponentRule> components = ComponentsOf(*architecture);
    for (const ComponentRule& component : components) {
      const std::uint32_t number = TextEncoderNumber(components, component.name);
      if (number == 0) continue;
      const auto [known, added] = numbers.emplace(component.name, number);
      if (!added && known->second != number) known->second = 0;
    }
  }
  return numbers;
}

}  // namespace

std::uint32_t TextEncoderNumber(std::span<const ComponentRule> components, std::string_view name) {
  std::uint32_t number = 0;
  for (const ComponentRule& component : components) {
    if (component.kind != ComponentKind::kText) continue;
    number = component.text_encoder != 0 ? component.text_encoder : number + 1;
    if (component.name == name) return number;
  }
  return 0;
}

std::uint32_t TextEncoderNumber(const Architecture* architecture, std::string_view name) {
  if (architecture != nullptr) return TextEncoderNumber(ComponentsOf(*architecture), name);
  static const auto common = CommonNumbers();
  const auto found = common.find(name);
  return found == common.end() ? 0 : found->second;
}

std::string TextEncoderFolder(std::uint32_t number) {
  return number == 1 ? "text_encoder" : "text_encoder_" + std::to_string(number);
}

}  // namespace weightsmith::internal
