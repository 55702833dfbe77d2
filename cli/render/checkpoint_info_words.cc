#include "cli/render/checkpoint_info_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/render/adapter_info_words.h"
#include "cli/render/layout.h"
#include "core/base/text.h"
#include "core/base/visible.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kNamesShown = 5;
constexpr std::size_t kMetadataShown = 100;

enum class Align : bool { kLeft, kRight };

/// Lines of cells; a column is as wide as its widest cell, and nothing trails.
class Columns {
 public:
  explicit Columns(std::vector<Align> aligns) : aligns_(std::move(aligns)) {}

  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  std::string ToText(std::string_view indent) const {
    std::vector<std::size_t> widths(aligns_.size());
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        widths[i] = std::max(widths[i], DisplayWidth(row[i]));
      }
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line(indent);
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) line += "  ";
        line +=
            aligns_[i] == Align::kLeft ? PadRight(row[i], widths[i]) : PadLeft(row[i], widths[i]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::vector<Align> aligns_;
  std::vector<std::vector<std::string>> rows_;
};

std::string StateWords(const ComponentAnatomy& component) {
  std::vector<std::string> words;
  if (!component.missing.empty()) {
    words.push_back(fmt::format("{} missing", FormatCount(component.missing.size())));
  }
  if (!component.extra.empty()) {
    words.push_back(fmt::format("{} extra", FormatCount(component.extra.size())));
  }
  if (words.empty()) {
    if (!component.complete) return "other shapes";
    return component.kind == ComponentKind::kOther ? "" : "complete";
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// "sd1 inpainting", "flux1 dev, tiny", "unknown".
std::string ArchitectureWords(const Anatomy& anatomy) {
  std::string words = anatomy.id;
  if (anatomy.variant != "base") words += " " + anatomy.variant;
  if (anatomy.scale != "full") words += ", " + anatomy.scale;
  return words;
}

std::string_view Title(const Anatomy& anatomy) {
  if (anatomy.architecture != nullptr) return anatomy.architecture->title;
  return anatomy.part != nullptr ? anatomy.part->title : std::string_view();
}

std::string ComponentTable(const Anatomy& anatomy) {
  Columns columns(
      {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft});
  columns.Add({"component", "tensors", "parameters", "size", "dtypes", ""});
  for (const ComponentAnatomy& component : anatomy.components) {
    columns.Add({component.name, FormatCount(component.tensors), FormatCount(component.parameters),
                 FormatBytes(component.bytes), DTypeWords(component.dtypes),
                 StateWords(component)});
  }
  return columns.ToText("  ");
}

std::string NameList(std::string_view title, const std::vector<std::string>& names, bool all) {
  if (names.empty()) return {};
  std::string text = fmt::format("\n  {}\n", title);
  const std::size_t shown = all ? names.size() : std::min(names.size(), kNamesShown);
  for (std::size_t i = 0; i < shown; ++i) text += fmt::format("    {}\n", Visible(names[i]));
  if (shown < names.size()) {
    text += fmt::format("    and {} more\n", FormatCount(names.size() - shown));
  }
  return text;
}

std::string MetadataTable(const std::optional<Metadata>& metadata) {
  if (!metadata || metadata->empty()) return {};
  Columns columns({Align::kLeft, Align::kLeft});
  for (const auto& [key, value] : *metadata)
    columns.Add({Visible(key), Quote(value, kMetadataShown)});
  return "\n  metadata\n" + columns.ToText("    ");
}

std::string TensorTable(const CheckpointInfo& info) {
  Columns columns({Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
  const auto tensors = info.checkpoint->tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorAnatomy& told = info.anatomy.tensors[i];
    columns.Add({Visible(tensors[i].name), std::string(Info(tensors[i].info.dtype).name),
                 ToString(tensors[i].info.shape), info.anatomy.components[told.component].name,
                 told.role == Role::kWeight ? "" : std::string(ToString(told.role))});
  }
  return "\n" + columns.ToText("  ");
}

std::string Facts(const CheckpointInfo& info) {
  const Anatomy& anatomy = info.anatomy;
  Columns columns({Align::kLeft, Align::kLeft});
  const std::size_t files = info.checkpoint->files().size();
  columns.Add({"format", fmt::format("{}, {}{}", ToString(info.checkpoint->format()),
                                     files > 1 ? fmt::format("{} files, ", files) : "",
                                     FormatBytes(info.checkpoint->size()))});
  if (info.adapter) {
    columns.Add({"adapter", AdapterWords(*info.adapter)});
    for (const TableRow& row : AdapterRows(*info.adapter)) columns.Add({row.left, row.right});
    return columns.ToText("  ");
  }
  const std::string_view title = Title(anatomy);
  columns.Add(
      {"architecture", title.empty() ? anatomy.id : fmt::format("{} ({})", anatomy.id, title)});
  if (anatomy.id != "unknown") {
    columns.Add({"variant", anatomy.variant});
    if (anatomy.scale != "full") columns.Add({"scale", anatomy.scale});
    columns.Add({"layout", anatomy.layout});
  }
  if (anatomy.prediction != Prediction::kUnknown) {
    columns.Add({"prediction", std::string(ToString(anatomy.prediction))});
  }
  if (const auto& distilled = anatomy.distilled) {
    columns.Add({"distilled", fmt::format("{} (by {})", distilled->kind, distilled->by)});
  }
  const std::string in_files =
      info.stored == anatomy.tensors.size()
          ? ""
          : fmt::format(" (from {} in the files, some of which are parts of one)",
                        FormatCount(info.stored));
  columns.Add({"tensors", FormatCount(anatomy.tensors.size()) + in_files});
  columns.Add({"parameters", FormatCount(Parameters(anatomy))});
  if (!anatomy.markers.empty()) {
    columns.Add({"markers", fmt::format("{}", fmt::join(anatomy.markers, ", "))});
  }
  if (!anatomy.quantization.empty()) {
    columns.Add({"quantization", fmt::format("{}", fmt::join(anatomy.quantization, ", "))});
  }
  return columns.ToText("  ");
}

}  // namespace

std::string DTypeWords(const std::map<DType, std::uint64_t>& dtypes) {
  if (dtypes.size() == 1) return std::string(Info(dtypes.begin()->first).name);
  std::vector<std::pair<DType, std::uint64_t>> sorted(dtypes.begin(), dtypes.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> words;
  for (const auto& [dtype, tensors] : sorted) {
    words.push_back(fmt::format("{} {}", Info(dtype).name, FormatCount(tensors)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string InfoPage(const CheckpointInfo& info, bool tensors) {
  std::string page = Visible(info.path) + "\n" + Facts(info);
  // The components of an adapter are those that it changes, and no tensors of its own.
  if (!info.adapter && !info.anatomy.components.empty()) {
    page += "\n" + ComponentTable(info.anatomy);
  }
  for (const ComponentAnatomy& component : info.anatomy.components) {
    if (info.adapter) break;
    page += NameList(component.name + " lacks", component.missing, tensors);
    page += NameList(component.name + " has besides", component.extra, tensors);
  }
  page += NameList("damage", info.anatomy.damage, tensors);
  page += NameList("code that Python would run", Code(info), tensors);
  page += MetadataTable(info.checkpoint->metadata());
  if (tensors && !info.anatomy.tensors.empty()) page += TensorTable(info);
  return page;
}

std::string InfoLines(const std::vector<CheckpointInfo>& infos) {
  Columns columns(
      {Align::kLeft, Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kLeft});
  for (const CheckpointInfo& info : infos) {
    std::vector<std::string> components;
    bool complete = true;
    if (info.adapter) {
      for (const auto& [name, modules] : info.adapter->components) components.push_back(name);
    }
    for (const ComponentAnatomy& component : info.anatomy.components) {
      if (info.adapter) break;
      components.push_back(component.name);
      complete = complete && component.complete;
    }
    std::string words = fmt::format("{}", fmt::join(components, " "));
    if (!complete) words += " (incomplete)";
    if (!info.anatomy.damage.empty()) words += " (damaged)";
    const std::string what =
        info.adapter ? AdapterWords(*info.adapter) : ArchitectureWords(info.anatomy);
    columns.Add({Visible(info.path), what, DTypeWords(DTypes(info.anatomy)),
                 FormatCount(info.anatomy.tensors.size()), FormatBytes(info.checkpoint->size()),
                 std::move(words)});
  }
  return columns.ToText("");
}

}  // namespace weightsmith::internal
