#include "recipes/history.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/json-inl.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kMostBytes = std::size_t{256} << 10;
constexpr int kMostNested = 16;  // ours has 4; writing JSON again takes stack by its depth
constexpr std::string_view kTruncated = "truncated";

const std::string& Find(const Metadata& metadata, const std::string& key) {
  static const std::string kNone;
  const auto found = metadata.find(key);
  return found == metadata.end() ? kNone : found->second;
}

/// Null for what is no JSON, too long or too deep.
Json ParseForeign(const std::string& text) {
  if (text.size() > kMostBytes) return nullptr;
  bool deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    deep = deep || depth > kMostNested;
    return true;
  };
  Json json = ParseJsonIfValid(text, watch);
  return json.is_discarded() || deep ? Json() : json;
}

/// 32 hexadecimal digits that are not all zero, which stand for a digest that was not taken.
bool IsDigest(const std::string& text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos &&
         text.find_first_not_of('0') != std::string::npos;
}

using Ancestor = std::pair<std::string, Json>;

std::optional<Ancestor> MakeAncestor(const std::string& digest, const Json& recipe,
                                     const Json& inputs) {
  if (!IsDigest(digest) || !recipe.is_string() || !inputs.is_array()) return std::nullopt;
  return Ancestor{digest, {{"recipe", recipe}, {"inputs", inputs}}};
}

/// One input's line, the youngest first.
struct Line {
  std::vector<Ancestor> ancestors;
  bool truncated = false;
};

Line LineOf(const Metadata& metadata) {
  Line line;
  const std::string& recipe = Find(metadata, "weightsmith.recipe");
  if (recipe.empty()) return line;
  auto own = MakeAncestor(Find(metadata, "weightsmith.digest"), recipe,
                          ParseForeign(Find(metadata, "weightsmith.inputs")));
  if (!own) return line;
  line.ancestors.push_back(std::move(*own));

  const Json older = ParseForeign(Find(metadata, "weightsmith.ancestors"));
  if (!older.is_object()) return line;
  for (const auto& [digest, history] : older.items()) {
    if (digest == kTruncated) line.truncated = true;
    if (!history.is_object() || !history.contains("recipe") || !history.contains("inputs"))
      continue;
    auto ancestor = MakeAncestor(digest, history["recipe"], history["inputs"]);
    if (ancestor) line.ancestors.push_back(std::move(*ancestor));
  }
  return line;
}

/// Collects ancestors until they are too many.
class Collection {
 public:
  void Add(const Ancestor& ancestor) {
    const auto& [digest, history] = ancestor;
    if (truncated_ || ancestors_.contains(digest)) return;
    const std::size_t bytes = ToLine({{digest, history}}).size();
    truncated_ = bytes_ + bytes > kMostBytes;
    if (truncated_) return;
    bytes_ += bytes;
    ancestors_[digest] = history;
  }

  std::string Text(bool truncated) && {
    if (truncated_ || truncated) ancestors_[std::string(kTruncated)] = true;
    return ancestors_.empty() ? "" : ToLine(ancestors_);
  }

 private:
  Json ancestors_ = Json::object();
  std::size_t bytes_ = ToLine({{kTruncated, true}}).size();
  bool truncated_ = false;
};

}  // namespace

std::string AncestorsText(std::span<const Metadata> inputs) {
  std::vector<Line> lines;
  std::size_t longest = 0;
  bool truncated = false;
  for (const Metadata& metadata : inputs) {
    lines.push_back(LineOf(metadata));
    longest = std::max(longest, lines.back().ancestors.size());
    truncated = truncated || lines.back().truncated;
  }
  // Every line's youngest, then every line's next: what is left out at the end is the oldest.
  Collection collection;
  for (std::size_t age = 0; age < longest; ++age) {
    for (const Line& line : lines) {
      if (age < line.ancestors.size()) collection.Add(line.ancestors[age]);
    }
  }
  return std::move(collection).Text(truncated);
}

std::string SdMergeModelsText(std::span<const MergedFile> files) {
  Json models = Json::object();
  for (const MergedFile& file : files) {
    models[file.sha256] = {
        {"name", file.name},
        {"legacy_hash", file.autov1},
        {"sd_merge_recipe", ParseForeign(Find(file.metadata, "sd_merge_recipe"))}};
  }
  return ToLine(models);
}

}  // namespace weightsmith::internal
