#include "recipes/parser/advice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <vector>

#include "core/base/text.h"
#include "recipes/source/backslashes.h"

namespace weightsmith::internal {
namespace {

/// A word of another tool, and what it is called here.
struct Word {
  std::string_view theirs;  ///< lower case, with _ for spaces and dashes
  std::string_view ours;
};

constexpr std::array kComponentWords{
    Word{"text_encoder", "te1"},
    Word{"text_encoder_1", "te1"},
    Word{"text_encoder_2", "te2"},
    Word{"text_encoder_3", "te3"},
    Word{"text_encoders", "te"},
    Word{"textencoder", "te"},
    Word{"clip", "te"},
    Word{"text", "te"},
    Word{"cond_stage_model", "te"},
    Word{"conditioner", "te"},
    Word{"clip_l14", "clip_l"},
    Word{"clipl", "clip_l"},
    Word{"clipg", "clip_g"},
    Word{"clip_h14", "clip_h"},
    Word{"t5", "t5xxl"},
    Word{"t5_xxl", "t5xxl"},
    Word{"t5xxl_enconly", "t5xxl"},
    Word{"diffusion_model", "unet"},
    Word{"model.diffusion_model", "unet"},
    Word{"denoiser", "unet"},
    Word{"u_net", "unet"},
    Word{"first_stage_model", "vae"},
    Word{"autoencoder", "vae"},
    Word{"all", "default"},
    Word{"else", "default"},
    Word{"other", "default"},
    Word{"*", "default"},
};

/// A word may stand for several keys: those of the recipe, of a step, of an output.
constexpr std::array kKeyWords{
    Word{"version", "weightsmith"},
    Word{"checkpoints", "models"},
    Word{"files", "models"},
    Word{"inputs", "models"},
    Word{"loras", "adapters"},
    Word{"lora", "adapters"},
    Word{"merge", "steps"},
    Word{"merges", "steps"},
    Word{"pipeline", "steps"},
    Word{"out", "output"},
    Word{"save", "output"},
    Word{"result", "output"},
    Word{"variables", "vars"},
    Word{"method", "op"},
    Word{"merge_method", "op"},
    Word{"operator", "op"},
    Word{"operation", "op"},
    Word{"mode", "op"},
    Word{"type", "op"},
    Word{"models", "of"},
    Word{"slices", "of"},
    Word{"layer_range", "layers"},
    Word{"filter", "where"},
    Word{"inputs", "of"},
    Word{"operands", "of"},
    Word{"terms", "of"},
    Word{"weights", "alpha"},
    Word{"weight", "alpha"},
    Word{"mbw", "alpha"},
    Word{"blocks", "alpha"},
    Word{"block_weights", "alpha"},
    Word{"t", "alpha"},
    Word{"m", "alpha"},
    Word{"ratio", "alpha"},
    Word{"multiplier", "alpha"},
    Word{"amount", "alpha"},
    Word{"strength", "alpha"},
    Word{"base", "a"},
    Word{"model_a", "a"},
    Word{"model_b", "b"},
    Word{"model_c", "c"},
    Word{"base", "c"},
    Word{"a", "model"},
    Word{"base", "model"},
    Word{"checkpoint", "model"},
    Word{"step", "model"},
    Word{"from", "model"},
    Word{"source", "model"},
    Word{"name", "model"},
    Word{"file", "path"},
    Word{"filename", "path"},
    Word{"location", "path"},
    Word{"checkpoint", "path"},
    Word{"to", "path"},
    Word{"out", "path"},
    Word{"save", "path"},
    Word{"hash", "sha256"},
    Word{"name", "use"},
    Word{"lora", "use"},
    Word{"adapter", "use"},
    Word{"model", "use"},
    Word{"weight", "strength"},
    Word{"scale", "strength"},
    Word{"alpha", "strength"},
    Word{"multiplier", "strength"},
    Word{"alpha", "weight"},
    Word{"ratio", "weight"},
    Word{"strength", "weight"},
    Word{"precision", "dtype"},
};

constexpr std::array kOperatorWords{
    Word{"weighted", "weighted_sum"},
    Word{"weight_sum", "weighted_sum"},
    Word{"sum", "weighted_sum"},
    Word{"lerp", "weighted_sum"},
    Word{"merge", "weighted_sum"},
    Word{"add_diff", "add_difference"},
    Word{"train_diff", "train_difference"},
    Word{"traindifference", "train_difference"},
    Word{"triplesum", "triple_sum"},
    Word{"sumtwice", "sum_twice"},
    Word{"mean", "average"},
    Word{"model_soup", "average"},
    Word{"frankenmerge", "stack"},
    Word{"lora", "bake"},
    Word{"apply_lora", "bake"},
};

std::string Fold(std::string_view word) {
  std::string folded(Trim(word));
  std::ranges::transform(folded, folded.begin(), [](unsigned char c) {
    return c == ' ' || c == '-' ? '_' : static_cast<char>(std::tolower(c));
  });
  return folded;
}

/// Cyrillic and Greek letters that look like Latin ones, as those.
std::string FoldLookalikes(std::string text) {
  constexpr std::pair<std::string_view, char> kLetters[] = {
      {"а", 'a'}, {"А", 'a'}, {"с", 'c'}, {"С", 'c'}, {"е", 'e'}, {"Е", 'e'},
      {"о", 'o'}, {"О", 'o'}, {"р", 'p'}, {"Р", 'p'}, {"В", 'b'}, {"ο", 'o'},
      {"Α", 'a'}, {"Β", 'b'}, {"α", 'a'}, {"х", 'x'}, {"у", 'y'}, {"і", 'i'}};
  for (const auto& [letter, latin] : kLetters) {
    for (std::size_t at = text.find(letter); at != std::string::npos; at = text.find(letter)) {
      text.replace(at, letter.size(), 1, latin);
    }
  }
  return text;
}

template <std::size_t N>
std::optional<std::string> Meant(const std::array<Word, N>& words, std::string_view word) {
  const auto found = std::ranges::find(words, Fold(word), &Word::theirs);
  if (found == words.end()) return std::nullopt;
  return std::string(found->ours);
}

/// "0.333333" of 0.33333333333.
std::string Short(double value) {
  return fmt::format("{:.6g}", value);
}

std::string PointForComma(std::string_view text) {
  std::string changed(text);
  std::ranges::replace(changed, ',', '.');
  return changed;
}

/// "[0.1, 0.2, 0.3]" of "0.1,0.2,0.3"; nothing where that is no list of numbers.
std::string ListOf(std::string_view text) {
  std::vector<std::string> numbers;
  while (true) {
    const std::size_t end = std::min(text.find_first_of(",; \t"), text.size());
    if (const std::string_view word = Trim(text.substr(0, end)); !word.empty()) {
      if (!ParseNumber(word)) return {};
      numbers.emplace_back(word);
    }
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

/// Of "1/3".
std::optional<double> Fraction(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto above = ParseNumber(Trim(text.substr(0, slash)));
  const auto below = ParseNumber(Trim(text.substr(slash + 1)));
  if (!above || !below || *below == 0) return std::nullopt;
  return *above / *below;
}

std::string HomeFolder() {
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "/home/NAME" : home;
}

/// Names in the folder of a path, sorted.
std::vector<std::string> NamesBeside(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::vector<std::string> names;
  std::error_code failed;
  std::filesystem::directory_iterator it(folder, failed);
  for (; !failed && it != std::filesystem::directory_iterator(); it.increment(failed)) {
    names.push_back(it->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// "org/model", as written, and no file at `path`.
bool LooksLikeRepository(const std::filesystem::path& written, const std::filesystem::path& path) {
  const std::string text = written.string();
  const bool file = text.ends_with(".safetensors") || text.ends_with(".ckpt");
  return std::ranges::count(text, '/') == 1 && !text.starts_with('/') && !text.starts_with('.') &&
         !file && !std::filesystem::exists(path.parent_path());
}

/// Of the files beside `path`, the one that is nearly called so. The extension does not count as
/// likeness: every model has the same.
std::optional<std::string> NameNear(const std::filesystem::path& path) {
  const auto is_text = [](const std::filesystem::path& name) {
    const std::string extension = name.extension().string();
    return extension == ".yaml" || extension == ".yml" || extension == ".json";
  };
  std::vector<std::string> names;
  std::vector<std::string> stems;
  for (const std::string& name : NamesBeside(path)) {
    if (is_text(name) != is_text(path)) continue;
    names.push_back(name);
    stems.push_back(std::filesystem::path(name).stem().string());
  }
  const auto near = NearestName(path.stem().string(), stems);
  if (!near) return std::nullopt;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool same = std::filesystem::path(names[i]).extension() == path.extension();
    if (stems[i] == *near && same) return names[i];
  }
  return names[static_cast<std::size_t>(std::ranges::find(stems, *near) - stems.begin())];
}

}  // namespace

std::string NumberAdvice(const SourceNode& node) {
  if (node.type == SourceNode::Type::kNull) return "Write a number, such as 0.5.";
  if (!node.scalar()) return {};
  const std::string_view text = Trim(node.text);
  if (ParseNumber(text)) return fmt::format("Remove the quotes: {}", text);
  if (text.ends_with('%')) {
    const std::string number = PointForComma(Trim(text.substr(0, text.size() - 1)));
    if (const auto percent = ParseNumber(number)) {
      return fmt::format("Write {} for {} percent.", Short(*percent / 100), number);
    }
  }
  if (const auto fraction = Fraction(text)) return fmt::format("Write {}", Short(*fraction));
  if (std::ranges::count(text, ',') == 1) {
    if (const std::string number = PointForComma(text); ParseNumber(number)) {
      return fmt::format("Write {}, with a point.", number);
    }
  }
  if (const std::string list = ListOf(text);
      text.find_first_of(",; ") != std::string_view::npos && !list.empty()) {
    return fmt::format("Write a list: {}", list);
  }
  if (text.starts_with("−") || text.starts_with("–")) {
    const std::string number = fmt::format("-{}", text.substr(3));
    if (ParseNumber(number))
      return fmt::format("Write {}, with the minus sign of the keyboard.", number);
  }
  if (const std::size_t comment = text.find('#'); comment != std::string_view::npos) {
    const std::string_view number = Trim(text.substr(0, comment));
    if (ParseNumber(number)) {
      return fmt::format("Write a space in front of a comment: {} {}", number,
                         text.substr(comment));
    }
  }
  if (text.find_first_of("$*+/()") != std::string_view::npos ||
      text.find(" - ") != std::string_view::npos) {
    return "A recipe computes nothing: write a literal number, or $NAME for a variable alone.";
  }
  if (const std::string_view number = text.substr(0, text.find_first_not_of("+-.0123456789"));
      number.size() < text.size() && text.size() - number.size() <= 2 && ParseNumber(number)) {
    return fmt::format("Write {}", number);
  }
  return {};
}

std::optional<PathFault> FaultOfPath(std::string_view path) {
  if (const std::size_t scheme = path.find("://"); scheme != std::string_view::npos) {
    const std::string_view rest = path.substr(0, path.find_first_of("?#"));
    const std::string_view name = rest.substr(rest.rfind('/') + 1);
    return PathFault{fmt::format("{} is a web address, and nothing is downloaded", Quote(path)),
                     fmt::format("Download the file, and write its path: {}",
                                 name.empty() ? "model.safetensors" : name)};
  }
  if (path == "~" || path.starts_with("~/")) {
    return PathFault{fmt::format("{}: ~ is a short form of the shell, not a folder", Quote(path)),
                     fmt::format("Write {}{}", HomeFolder(), path.substr(1))};
  }
  if (path.starts_with('$')) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const bool home = path.substr(0, end) == "$HOME" || path.substr(0, end) == "${HOME}";
    return PathFault{
        fmt::format("{}: a recipe does not read variables of the shell", Quote(path)),
        fmt::format("Write {}{}", home ? HomeFolder() : "the folder that it stands for: /folder",
                    path.substr(end))};
  }
  if (IsWindowsPath(path)) {
    return PathFault{fmt::format("{} is a path of Windows", Quote(path)), PathAdvice(path)};
  }
  return std::nullopt;
}

std::filesystem::path WithoutFolder(const std::filesystem::path& path,
                                    const std::filesystem::path& folder) {
  const std::string front = (folder / "").string();
  const std::string text = path.string();
  if (folder.empty() || !text.starts_with(front) || text.size() == front.size()) return path;
  return text.substr(front.size());
}

Error WithFileAdvice(const Error& error, const std::filesystem::path& path,
                     const SourcePlace& place) {
  std::error_code failed;
  if (error.code() != ErrorCode::kInput || std::filesystem::exists(path, failed) || failed) {
    return error;
  }
  // Where a file names it, as it is written there: below the folder of that file.
  const bool file = place.source != nullptr && place.source->setting == Setting::kNone;
  const std::filesystem::path written =
      WithoutFolder(path, file ? std::filesystem::path(place.source->name).parent_path() : "");
  std::string advice;
  if (const auto near = NameNear(path)) {
    advice = fmt::format("Did you mean {}?", Quote((written.parent_path() / *near).string()));
  }
  if (path.string().find_first_of("*?") != std::string::npos) {
    advice = "Patterns are not filled in: write the name of one file.";
  } else if (path.string().find('\\') != std::string::npos) {
    advice = fmt::format("Write / for \\: {}", WithForwardSlashes(written.string()));
  } else if (advice.empty() && LooksLikeRepository(written, path)) {
    advice = fmt::format(
        "{} looks like the name of a repository: nothing is downloaded. Download "
        "it, and write the path of its folder.",
        Quote(written.string()));
  } else if (advice.empty()) {
    advice = error.advice();
  }
  return {error.code(), error.what(), std::move(advice), error.options()};
}

std::optional<std::string> KeyMeant(std::string_view key, std::span<const std::string> known,
                                    const std::function<bool(const std::string&)>& is_free) {
  const std::string folded = FoldLookalikes(Fold(key));
  std::optional<std::string> taken;
  std::vector<std::string> candidates{folded};
  if (const auto component = ComponentMeant(key)) candidates.push_back(*component);
  for (const Word& word : kKeyWords) {
    if (word.theirs == folded) candidates.emplace_back(word.ours);
  }
  for (const std::string& candidate : candidates) {
    if (std::ranges::find(known, candidate) == known.end()) continue;
    if (is_free(candidate)) return candidate;
    if (!taken) taken = candidate;
  }
  return taken;
}

bool IsCalled(std::string_view key, const std::string& name) {
  return key == name ||
         KeyMeant(key, std::span(&name, 1), [](const std::string&) { return true; }).has_value();
}

std::optional<std::string> ComponentMeant(std::string_view word) {
  return Meant(kComponentWords, word);
}

std::optional<std::string> OperatorMeant(std::string_view word) {
  return Meant(kOperatorWords, word);
}

}  // namespace weightsmith::internal
