#include "cli/everyday_places.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "recipes/source/source_node.h"

namespace weightsmith::internal {
namespace {

using Origin = std::shared_ptr<const SourceText>;

Origin FlagOrigin(std::string flag, std::string value) {
  return std::make_shared<const SourceText>(SourceText{std::move(flag), std::move(value)});
}

/// A word without a flag: the message names it itself.
Origin WordOrigin(const std::string& word) {
  return FlagOrigin("", word);
}

class Places {
 public:
  Places(const EverydayMerge& merge, const EverydayWords& words) : merge_(merge), words_(words) {}

  std::vector<SourcePart> Of(const SourceNode& recipe) {
    ForEntries(recipe.Find("models"), [&](const SourceNode& key, const SourceNode&, std::size_t i) {
      const bool model = i < merge_.models.size();
      Add(key, model ? WordOrigin(merge_.models[i].string()) : Vae());
    });
    ForEntries(recipe.Find("adapters"),
               [&](const SourceNode& key, const SourceNode& value, std::size_t i) {
                 Add(key, FlagOrigin("--lora", merge_.loras[i].path.string()));
                 AddKey(value, "allow_unmatched",
                        FlagOrigin("--allow-unmatched", merge_.allow_unmatched.value_or("")));
               });
    ForEntries(recipe.Find("policy"), [&](const SourceNode& key, const SourceNode&, std::size_t i) {
      Add(key, FlagOrigin("--policy", fmt::format("{}={}", merge_.policies[i].first,
                                                  merge_.policies[i].second)));
    });
    ForEntries(recipe.Find("steps"),
               [&](const SourceNode& key, const SourceNode& step, std::size_t) {
                 Add(key, nullptr);
                 AddStep(step);
               });
    AddOutput(recipe.Find("output"));
    if (const SourceNode* outputs = recipe.Find("outputs")) {
      for (const SourceNode& output : outputs->items) AddOutput(&output);
    }
    return std::move(parts_);
  }

 private:
  template <class Visit>
  static void ForEntries(const SourceNode* map, Visit&& visit) {
    for (std::size_t i = 0; map != nullptr && i < map->keys.size(); ++i) {
      visit(map->keys[i], map->items[i], i);
    }
  }

  Origin Vae() const { return FlagOrigin("--vae", merge_.vae ? merge_.vae->string() : ""); }

  void Add(const SourceNode& at, Origin origin) {
    parts_.push_back({at.place.line, at.place.column, std::move(origin)});
  }

  void AddKey(const SourceNode& map, std::string_view key, Origin origin) {
    for (std::size_t i = 0; i < map.keys.size(); ++i) {
      if (map.keys[i].text == key) Add(map.keys[i], std::move(origin));
    }
  }

  Origin Parameter(const std::string& name) const {
    if (name == "alpha") {
      return words_.alpha.empty() ? nullptr : FlagOrigin(words_.alpha_flag, words_.alpha);
    }
    for (const auto& [key, value] : merge_.parameters) {
      const bool weights =
          name == "of" && (key == "weights" || value.find(',') != std::string::npos);
      if (key != name && !weights) continue;
      if (merge_.own_flags.contains(key)) return FlagOrigin(fmt::format("--{}", key), value);
      return FlagOrigin("--param", fmt::format("{}={}", key, value));
    }
    return nullptr;
  }

  void AddStep(const SourceNode& step) {
    for (const SourceNode& key : step.keys) {
      const bool loras = key.text == "adapters" && !merge_.loras.empty();
      if (key.text == "op") {
        Add(key, merge_.op ? FlagOrigin("--op", *merge_.op) : nullptr);
      } else if (loras && merge_.lora_blocks) {
        Add(key, FlagOrigin("--lora-blocks", *merge_.lora_blocks));
      } else if (loras) {
        Add(key, FlagOrigin("--lora", merge_.loras.front().path.string()));
      } else {
        Add(key, Parameter(key.text));
      }
    }
  }

  void AddOutput(const SourceNode* output) {
    if (output == nullptr) return;
    for (const SourceNode& key : output->keys) {
      Origin origin;
      if (key.text == "components") origin = Vae();
      if (key.text == "dtype") origin = FlagOrigin("--dtype", merge_.dtype.value_or(""));
      if (key.text == "path" && merge_.output) origin = FlagOrigin("-o", merge_.output->string());
      Add(key, std::move(origin));
    }
  }

  const EverydayMerge& merge_;
  const EverydayWords& words_;
  std::vector<SourcePart> parts_;
};

/// A value in brackets stands in the recipe as it was typed, and must be whole by itself.
void CheckForm(const std::string& flag, const std::string& value, Diagnostics& diagnostics) {
  if (value.starts_with('{') || value.starts_with('[')) {
    ReadOption(FlagOrigin(flag, value), diagnostics);
  }
}

}  // namespace

SourceText EverydaySource(const EverydayMerge& merge, const EverydayWords& words,
                          Diagnostics& diagnostics) {
  SourceText source{"command line", RecipeText(merge)};
  source.generated = true;
  CheckForm(words.alpha_flag, words.alpha, diagnostics);
  for (const auto& [key, value] : merge.parameters) {
    const std::string flag = merge.own_flags.contains(key) ? "--" : "--param ";
    CheckForm(flag + key, value, diagnostics);
  }
  for (const auto& [key, value] : merge.policies) {
    CheckForm(fmt::format("--policy {}", key), value, diagnostics);
  }
  if (diagnostics.HasErrors()) return source;
  Diagnostics unused;  // the parser of the recipe reports them
  const auto tree = ReadSource(std::make_shared<const SourceText>(source), unused);
  if (tree) source.parts = Places(merge, words).Of(*tree);
  return source;
}

}  // namespace weightsmith::internal
