// A recipe that is shown means what the recipe meant, whichever way it was written.
#include "recipes/show.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "recipes/resolve.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr RecipeForm kForms[] = {RecipeForm::kYaml, RecipeForm::kJson};

Recipe Parse(const std::string& text, const fs::path& folder = {},
             const RecipeOptions& options = {}) {
  Diagnostics diagnostics;
  auto recipe = ParseRecipe({"recipe.yaml", text}, folder, options, diagnostics);
  std::string problems;
  for (const Diagnostic& diagnostic : diagnostics.all()) problems += Render(diagnostic) + "\n";
  EXPECT_TRUE(recipe.has_value()) << problems << text;
  return recipe ? std::move(*recipe) : Recipe();
}

/// What can be compared of values by place; NaN and -0 by their bits.
using Rows = std::vector<std::pair<std::string, std::uint64_t>>;

template <class T, class Word>
Rows RowsOf(const PlaceMap<T>& map, Word word) {
  Rows rows;
  if (map.everywhere()) rows.emplace_back("", word(*map.everywhere()));
  for (const auto& row : map.rows()) rows.emplace_back(row.selector.text(), word(row.value));
  return rows;
}

Rows RowsOf(const Weights& weights) {
  return RowsOf(weights, [](double value) { return std::bit_cast<std::uint64_t>(value); });
}

std::vector<Rows> RowsOf(const std::vector<Weights>& all) {
  std::vector<Rows> rows;
  for (const Weights& weights : all) rows.push_back(RowsOf(weights));
  return rows;
}

Rows RowsOf(const PlaceMap<std::optional<StoredAs>>& map) {
  const PlaceMap<std::optional<StoredAs>> keep{std::optional<StoredAs>()};
  return RowsOf(map.empty() ? keep : map, [](const std::optional<StoredAs>& stored) {
    if (!stored) return ~std::uint64_t{0};
    const auto encodings = Encodings();
    const auto encoding = std::ranges::find(encodings, stored->encoding) - encodings.begin();
    return static_cast<std::uint64_t>(stored->dtype) + 256 * static_cast<std::uint64_t>(encoding);
  });
}

auto ValuesOf(const Policies& policies) {
  const auto missing = RowsOf(
      policies.missing, [](MissingPolicy policy) { return static_cast<std::uint64_t>(policy); });
  return std::tuple(missing, policies.input_channels, policies.non_finite, policies.effect,
                    policies.prediction, policies.ema, policies.precision);
}

auto FilesOf(const RecipeModel& model) {
  std::vector<std::tuple<std::string, std::string, std::vector<std::string>, bool, bool>> files;
  if (!model.like.empty()) files.emplace_back("like", model.like, std::vector<std::string>(), 0, 0);
  for (const RecipeModel::Part& part : model.parts) {
    std::vector<std::string> pins;
    for (const HashPin& pin : part.file.pins) pins.push_back(pin.kind + " " + pin.digits);
    std::ranges::sort(pins);
    files.emplace_back(part.component.value_or(""),
                       part.file.path ? part.file.path->lexically_normal().string() : "", pins,
                       part.file.prune, part.file.fix);
  }
  return files;
}

void ExpectSameNode(const Recipe& a, const Node& x, const Recipe& b, const Node& y) {
  EXPECT_EQ(x.name, y.name);
  EXPECT_EQ(x.kind, y.kind);
  ASSERT_EQ(x.leaf(), y.leaf());
  if (x.leaf()) {
    EXPECT_EQ(FilesOf(a.models[*x.model]), FilesOf(b.models[*y.model])) << x.name;
    return;
  }
  EXPECT_EQ(x.op, y.op) << x.name;
  EXPECT_EQ(x.operands, y.operands) << x.name;
  EXPECT_EQ(x.list, y.list) << x.name;
  EXPECT_EQ(RowsOf(x.weights), RowsOf(y.weights)) << x.name;
  EXPECT_EQ(RowsOf(x.parameters), RowsOf(y.parameters)) << x.name;
  ASSERT_EQ(x.entry_numbers.size(), y.entry_numbers.size()) << x.name;
  for (std::size_t i = 0; i < x.entry_numbers.size(); ++i) {
    EXPECT_EQ(RowsOf(x.entry_numbers[i]), RowsOf(y.entry_numbers[i])) << x.name;
  }
  EXPECT_EQ(ValuesOf(x.policies), ValuesOf(y.policies)) << x.name;
}

void ExpectSameOutput(const RecipeOutput& x, const RecipeOutput& y) {
  const auto normal = [](const std::optional<fs::path>& path) {
    return path ? path->lexically_normal().string() : "";
  };
  EXPECT_EQ(x.root, y.root);
  EXPECT_EQ(x.components, y.components);
  EXPECT_EQ(normal(x.path), normal(y.path));
  EXPECT_EQ(RowsOf(x.dtype), RowsOf(y.dtype));
  EXPECT_EQ(x.split, y.split);
  EXPECT_EQ(x.max_shard_size, y.max_shard_size);
  EXPECT_EQ(normal(x.files_from), normal(y.files_from));
  EXPECT_EQ(x.metadata, y.metadata);
  EXPECT_EQ(x.keep_metadata, y.keep_metadata);
}

/// Field by field, in the order in which the outputs come to the nodes.
void ExpectSameMeaning(const Recipe& one, const Recipe& other) {
  const Recipe a = WithoutUnused(one);
  const Recipe b = WithoutUnused(other);
  EXPECT_EQ(ValuesOf(a.policies), ValuesOf(b.policies));
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    ExpectSameNode(a, a.nodes[i].node, b, b.nodes[i].node);
  }
  ASSERT_EQ(a.outputs.size(), b.outputs.size());
  for (std::size_t i = 0; i < a.outputs.size(); ++i) ExpectSameOutput(a.outputs[i], b.outputs[i]);
}

/// Shows the recipe in both forms, reads each back, and shows it once more.
void ExpectShownIsSame(const Recipe& recipe) {
  for (const RecipeForm form : kForms) {
    const std::string shown = ShowRecipe(recipe, {.form = form});
    SCOPED_TRACE(shown);
    const Recipe again = Parse(shown, recipe.folder);
    ExpectSameMeaning(recipe, again);
    EXPECT_EQ(ShowRecipe(again, {.form = form}), shown);
  }
}

fs::path Root() {
  return fs::path(WEIGHTSMITH_TESTS).parent_path();
}

std::vector<fs::path> PublishedRecipes() {
  std::vector<fs::path> paths;
  for (const char* folder : {"tests/corpus", "examples"}) {
    for (const auto& entry : fs::directory_iterator(Root() / folder)) {
      const fs::path extension = entry.path().extension();
      if (extension == ".yaml" || extension == ".json") paths.push_back(entry.path());
    }
  }
  std::ranges::sort(paths);
  return paths;
}

TEST(ShowRecipe, KeepsTheMeaningOfEveryPublishedRecipe) {
  const std::vector<fs::path> paths = PublishedRecipes();
  ASSERT_GE(paths.size(), 30U);
  for (const fs::path& path : paths) {
    SCOPED_TRACE(path);
    Diagnostics diagnostics;
    const auto recipe = LoadRecipe(path, {}, diagnostics);
    ASSERT_TRUE(recipe.has_value());
    ExpectShownIsSame(*recipe);
  }
}

TEST(ShowRecipe, KeepsNumbersOfEntriesAndWhatIsLeftOut) {
  const Recipe recipe = Parse(R"(weightsmith: 1
models: {z: z.safetensors, a: a.safetensors, b: b.safetensors}
steps:
  kept: {op: ties, base: z, density: 0.5, of: [{model: a, weight: 1}, {model: b, weight: 1, density: {te: 0, default: 1}}]}
  own: {op: ties, base: z, of: [{model: kept, weight: 1, density: 0.25}]}
  arc: {op: nuslerp, a: own, b: a, alpha: 0.5}
output: {path: mix.safetensors, model: arc}
)");
  ExpectShownIsSame(recipe);
  const std::string shown = ShowRecipe(recipe, {.form = RecipeForm::kJson});
  EXPECT_THAT(shown, ::testing::HasSubstr(R"("density": 0.25)"));
  EXPECT_THAT(shown, ::testing::Not(::testing::HasSubstr(R"("base": null)")));
}

TEST(ShowRecipe, WritesEverythingOut) {
  const Recipe recipe = Parse(R"(weightsmith: 1
vars: {w: 0.25}
models: {a: a.safetensors, b: b.safetensors, unused: c.safetensors}
steps:
  sum: {op: add, a: a, b: {op: subtract, a: b, b: a}}
  mix: {op: linear, of: [{model: sum, weight: $w}, {model: b, weight: {te: 1, default: 0.5}}]}
output: {path: "mix-{w}.safetensors", model: mix, metadata: {title: "At {w}"}}
)");
  EXPECT_EQ(ShowRecipe(recipe), R"(weightsmith: 1
models:
  a: a.safetensors
  b: b.safetensors
policy:
  missing: error
  input_channels: error
  non_finite: error
  effect: error
  prediction: error
  blocks: by_form
  ema: drop
  elsewhere: note
  precision: f32
steps:
  sum.b:
    op: subtract
    a: b
    b: a
  sum:
    op: add
    a: a
    b: sum.b
    alpha: 1
  mix:
    op: linear
    of:
      - {model: sum, weight: 0.25}
      - {model: b, weight: {te: 1, default: 0.5}}
    normalize: false
outputs:
  - model: mix
    path: mix-0.25.safetensors
    dtype: keep
    metadata:
      modelspec.title: "At 0.25"
)");
}

TEST(ShowRecipe, IsJsonThatOthersRead) {
  const Recipe recipe = Parse(R"(weightsmith: 1
models: {a: "folder/\u00e9 \"x\".safetensors", "12": b.safetensors}
steps: {m: {op: linear, of: [{model: a, weight: -1e-7}, {model: "12", weight: 1}], normalize: true}}
output: {model: m, path: o.safetensors, dtype: {default: f16, vae: keep}, max_shard_size: 5GB}
)");
  const auto shown = nlohmann::json::parse(ShowRecipe(recipe, {.form = RecipeForm::kJson}));
  EXPECT_EQ(shown.at("weightsmith"), 1);
  EXPECT_EQ(shown.at("models"), nlohmann::json::parse(R"({"a": "folder/\u00e9 \"x\".safetensors",
                                                          "12": "b.safetensors"})"));
  EXPECT_EQ(shown.at("steps").at("m").at("of").at(0).at("weight"), -1e-7);
  EXPECT_EQ(shown.at("steps").at("m").at("normalize"), true);
  EXPECT_EQ(shown.at("outputs").at(0).at("max_shard_size"), 5'000'000'000);
  EXPECT_EQ(shown.at("outputs").at(0).at("dtype"),
            nlohmann::json::parse(R"({"default": "f16", "vae": "keep"})"));
}

TEST(ShowRecipe, KeepsTextsThatLookLikeSomethingElse) {
  const std::vector<std::string> texts{
      "yes",      "No",     "ON",        "y",           "n",         "true",        "FALSE",
      "null",     "~",      "",          " ",           " a ",       "1",           "1e3",
      "0x10",     "1_000",  "12:30:45",  "2026-01-01",  ".5",        "+1",          "-",
      "- a",      "? a",    ": a",       "a: b",        "a #b",      "#b",          "&a",
      "*a",       "!a",     "|",         ">",           "%a",        "@a",          "`a",
      "---",      "...",    "<<",        "=",           "[a]",       "{a}",         "{{a}}",
      "a,b",      "it's",   "say \"x\"", "back\\slash", "tab\there", "line\nbreak", "\r\n",
      "\x01\x1f", "\x7f",   "\u0085",    "\u00a0",      "\u2028",    "\ufeff",      "\ufffd",
      "é",        "日本語", "🙂",      "$",           "$ a",       "a$b",         "-a",
      "nan",      ".inf",   "A/b-c_d.e"};
  nlohmann::json metadata;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    metadata["value " + std::to_string(i)] = texts[i];
    metadata["key " + texts[i]] = "x";
    if (!texts[i].empty()) metadata[texts[i]] = "x";
  }
  const nlohmann::json text = {
      {"weightsmith", 1},
      {"models", {{"a", "a.safetensors"}}},
      {"output", {{"model", "a"}, {"path", "o.safetensors"}, {"metadata", metadata}}}};
  const Recipe recipe = Parse(text.dump());
  ASSERT_EQ(recipe.outputs.front().metadata.size(), metadata.size());
  ExpectShownIsSame(recipe);
}

TEST(ShowRecipe, KeepsNamesThatLookLikeSomethingElse) {
  for (const std::string name : {"yes", "1", "1.5", "true", "null", "a b", "-", "~", "a, b", "[x]",
                                 "{x}", "*x", "&x", "#x", "x_", "é", "😀", "op", "default"}) {
    const nlohmann::json step = {{"op", "copy"}, {"a", name}};
    const nlohmann::json text = {{"weightsmith", 1},
                                 {"models", {{name, "a.safetensors"}}},
                                 {"steps", {{name + "2", step}}},
                                 {"output", {{"model", name + "2"}, {"path", "o.safetensors"}}}};
    ExpectShownIsSame(Parse(text.dump()));
  }
}

TEST(ShowRecipe, KeepsBracesOfPathsAndTitles) {
  const Recipe recipe = Parse(R"(weightsmith: 1
vars: {w: 0.5}
models: {a: "{{w}}/{x y}/{w}.safetensors"}
output: {model: a, path: "{{w}}-{w}.safetensors", metadata: {title: "{{w}} = {w}", author: "{w}"}}
)");
  EXPECT_EQ(*recipe.outputs.front().path, "{w}-0.5.safetensors");
  EXPECT_EQ(recipe.outputs.front().metadata.at("modelspec.title"), "{w} = 0.5");
  ExpectShownIsSame(recipe);
}

TEST(ShowRecipe, KeepsEveryBitOfANumber) {
  for (const char* number :
       {"0.1", "0.30000000000000004", "5e-324", "1.7976931348623157e308", "-0.0", "1e21", "1e-7",
        "123456789012345678", "3.141592653589793", "2.2250738585072014e-308", "-17", "1e16"}) {
    ExpectShownIsSame(Parse(std::string("weightsmith: 1\nmodels: {a: a.safetensors}\n"
                                        "steps: {m: {op: linear, of: [{model: a, weight: ") +
                            number + "}]}}\noutput: {model: m, path: o.safetensors}\n"));
  }
}

TEST(ShowRecipe, KeepsPoliciesPlacesComponentsAndPins) {
  const Recipe recipe = Parse(R"(weightsmith: 1
models:
  a: {autov2: "6CE0161689"}
  f: {transformer: f.safetensors, clip_l: {path: l.safetensors, autov1: "01234567"}, vae: v.sft}
  b: {path: b.safetensors, sha256: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
policy: {missing: {default: keep, te: drop}, effect: any, precision: f64, ema: keep,
         non_finite: saturate, prediction: allow, input_channels: keep_extra}
steps:
  m:
    op: weighted_sum
    a: {op: clamp, a: a, low: -1}
    b: {op: clamp, a: f, to: [a, b]}
    alpha:
      default: 0.5
      BASE: 0.25
      te2: 0
      /attn\d\..*"x"/: 1
    policy: {missing: error, effect: error, prediction: error}
outputs:
  - {model: m, path: parts, split: true, components: {vae: b, te: {op: copy, a: f}}, files_from: cfg/}
  - {model: a, path: whole.safetensors, max_shard_size: 2GiB, dtype: {default: bf16, vae: f32, "/norm/": keep}}
)");
  ExpectShownIsSame(recipe);
}

TEST(ShowRecipe, KeepsHowFilesAreReadAndAssembled) {
  const Recipe recipe = Parse(R"(weightsmith: 1
models:
  a: {path: a.ckpt, key: nets, prune: true, fix: true}
  w: {like: sdxl, unet: u.safetensors, te1: {path: l.safetensors, fix: true}, other: o.safetensors}
outputs:
  - {model: {op: copy, a: a}, path: a.safetensors, metadata: keep}
  - {model: w, path: w.safetensors}
)");
  EXPECT_TRUE(recipe.models.front().parts.front().file.prune);
  EXPECT_EQ(recipe.models.back().like, "sdxl");
  EXPECT_TRUE(recipe.outputs.front().keep_metadata);
  ExpectShownIsSame(recipe);
}

TEST(ShowRecipe, GivesEveryInlineStepANameOfItsOwn) {
  const Recipe recipe = Parse(R"(weightsmith: 1
models: {a: a.safetensors, b: b.safetensors}
steps:
  m.a: {op: copy, a: b}
  m: {op: weighted_sum, a: {op: copy, a: a}, b: m.a, alpha: 0.5}
output: {model: m, path: o.safetensors}
)");
  const Recipe again = Parse(ShowRecipe(recipe));
  ASSERT_EQ(again.nodes.size(), recipe.nodes.size());
  EXPECT_EQ(ShowRecipe(again), ShowRecipe(recipe));
  const Node mix = WithoutUnused(again).nodes.back().node;
  EXPECT_NE(mix.operands[0], mix.operands[1]);
}

TEST(ShowRecipe, TellsAPinOnceThatTwoRecipesGive) {
  const Scratch scratch;
  const std::string models =
      "weightsmith: 1\nmodels: {a: {path: a.safetensors, autov1: \"01234567\"}";
  scratch.Make("inner.yaml", models + "}\noutput: {model: a, path: i.safetensors}\n");
  const Recipe recipe = Parse(models + R"(, i: {recipe: inner.yaml}}
steps: {m: {op: average, of: [a, i]}}
output: {model: m, path: o.safetensors}
)",
                              scratch.folder());
  ASSERT_EQ(recipe.models.size(), 1U);
  EXPECT_EQ(recipe.models.front().parts.front().file.pins.size(), 1U);
  ExpectShownIsSame(recipe);
}

TEST(ShowRecipe, KeepsBlockWeightsOfEveryForm) {
  ExpectShownIsSame(Parse(R"(weightsmith: 1
models: {a: a.safetensors, b: b.safetensors}
steps:
  p: {op: weighted_sum, a: a, b: b, alpha: GRAD_V}
  q: {op: weighted_sum, a: p, b: b, alpha: {preset: COSINE, scale: 0.5, offset: 0.1}}
  r: {op: weighted_sum, a: q, b: b, alpha: {default: 0.5, IN00-IN05: [0, 1], M00: 1, "unet:attn2": {curve: GRAD_A}}}
  s: {op: weighted_sum, a: r, b: b, alpha: {curve: SMOOTHSTEP}}
  m: {op: weighted_sum, a: s, b: b, alpha: [0,0,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1,1,1]}
output: {model: m, path: o.safetensors}
)"));
}

TEST(ShowRecipe, KeepsPinsApartThatOneFileCannotHaveBoth) {
  const Scratch scratch;
  scratch.Make("inner.yaml", R"(weightsmith: 1
models: {a: {path: a.safetensors, autov1: "01234567"}}
output: {model: a, path: i.safetensors}
)");
  const Recipe recipe = Parse(R"(weightsmith: 1
models: {a: {path: a.safetensors, autov1: "89abcdef"}, i: {recipe: inner.yaml}}
steps: {m: {op: average, of: [a, i]}}
output: {model: m, path: o.safetensors}
)",
                              scratch.folder());
  EXPECT_EQ(recipe.models.size(), 2U);
  ExpectShownIsSame(recipe);
}

TEST(ShowRecipe, WritesPathsBelowTheFolderFromThere) {
  const Scratch scratch;
  const std::string below = (scratch / "models/a.safetensors").string();
  const Recipe recipe = Parse(R"(weightsmith: 1
models: {a: models/a.safetensors, b: ../b.safetensors, c: /elsewhere/c.safetensors, d: )" +
                                  below + R"(.2}
steps: {m: {op: average, of: [a, b, c, d]}}
output: {model: m, path: o.safetensors}
)",
                              scratch.folder());
  const std::string shown = ShowRecipe(recipe);
  EXPECT_THAT(shown, HasSubstr("  a: models/a.safetensors\n"));
  EXPECT_THAT(shown, HasSubstr("  b: \"../b.safetensors\"\n"));
  EXPECT_THAT(shown, HasSubstr("  c: \"/elsewhere/c.safetensors\"\n"));
  EXPECT_THAT(shown, HasSubstr("  d: models/a.safetensors.2\n"));
  ExpectShownIsSame(recipe);
}

TEST(ShowRecipe, TakesAnOutputOfTheCommandLineFromTheWorkingDirectory) {
  const std::string text =
      "weightsmith: 1\nmodels: {a: a.safetensors}\noutput: {model: a, path: o.safetensors}\n";
  RecipeOptions options;
  options.output_path = "here.safetensors";
  for (const char* folder : {"", "deep/er", "../beside", "/root"}) {
    const Recipe again = Parse(ShowRecipe(Parse(text, folder, options)), folder);
    EXPECT_EQ(fs::absolute(*again.outputs.front().path), fs::absolute("here.safetensors"));
  }
}

TEST(ShowRecipe, ResolvesWhatTheCommandLineSets) {
  RecipeOptions options;
  options.variables = {{"w", "0.75"}};
  options.policies = {{"missing", "{default: keep, vae: error}"}};
  options.dtype = "bf16";
  const Recipe recipe = Parse(R"(weightsmith: 1
vars: {w: 0.25}
models: {a: a.safetensors, b: b.safetensors}
steps: {m: {op: weighted_sum, a: a, b: b, alpha: $w}}
output: {model: m, path: "{w}.safetensors", dtype: f16}
)",
                              {}, options);
  const std::string shown = ShowRecipe(recipe);
  EXPECT_THAT(shown, HasSubstr("alpha: 0.75\n"));
  EXPECT_THAT(shown, HasSubstr("path: \"0.75.safetensors\"\n"));
  EXPECT_THAT(shown, HasSubstr("missing: {default: keep, vae: error}\n"));
  EXPECT_THAT(shown, HasSubstr("dtype: bf16\n"));
  EXPECT_THAT(shown, Not(HasSubstr("vars")));
  ExpectShownIsSame(recipe);
}

TEST(ShowRecipe, DoesNotDependOnTheOrderOfTheFile) {
  const Recipe one = Parse(R"(weightsmith: 1
models: {a: a.safetensors, b: b.safetensors}
steps:
  x: {op: copy, a: a}
  m: {op: weighted_sum, a: x, b: b, alpha: 0.5}
output: {model: m, path: o.safetensors}
)");
  const Recipe other = Parse(R"(output: {path: o.safetensors, model: m}
steps:
  m: {alpha: 0.5, b: b, a: x, op: weighted_sum}
  x: {a: a, op: copy}
models: {b: b.safetensors, a: a.safetensors}
weightsmith: 1
)");
  EXPECT_EQ(ShowRecipe(one), ShowRecipe(other));
}

}  // namespace
}  // namespace weightsmith::internal
