#include "merge/expression/foreign_operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace weightsmith::internal {
namespace {

struct ForeignOperator {
  std::string_view name;     // folded
  std::string_view nearest;  // an operator of ours
  std::string_view does;     // what it does beyond that; empty: it is the same
};

constexpr std::string_view kRandom =
    "drops a random part of a difference and scales up the rest; {} adds all of it";
constexpr std::string_view kTrimming =
    "drops other changes of each model before it votes on signs; {} drops the smallest";
constexpr std::string_view kSphere =
    "interpolates along an arc instead of a line; {} interpolates along the line";
constexpr std::string_view kOutliers =
    "drops the largest and smallest changes of a difference; {} adds all of them";
constexpr std::string_view kAngle =
    "weighs by the cosine between the two models; {} takes one weight for each place";

constexpr ForeignOperator kTable[] = {
    {"cosinea", "weighted_sum", kAngle},
    {"cosineb", "weighted_sum", kAngle},
    {"dare", "add_difference", kRandom},
    {"darelinear", "add_difference", kRandom},
    {"dareties", "ties", kTrimming},
    {"della", "ties", kTrimming},
    {"dellalinear", "add_difference", kRandom},
    {"dropout", "add_difference", kRandom},
    {"geometric", "weighted_sum",
     "interpolates the logarithms of weights; {} interpolates the weights"},
    {"gitrebasin", "weighted_sum", "permutes channels to match before it averages; {} does not"},
    {"identity", "copy", ""},
    {"lerp", "weighted_sum", ""},
    {"mean", "average", ""},
    {"mix", "weighted_sum", ""},
    {"modelsoup", "average", ""},
    {"naverage", "average", ""},
    {"passthrough", "copy", ""},
    {"rebasin", "weighted_sum", "permutes channels to match before it averages; {} does not"},
    {"sigmoid", "weighted_sum", "bends alpha by a sigmoid; {} takes alpha as it is"},
    {"smoothadd", "add_difference", "filters the difference before it adds it; {} does not filter"},
    {"soup", "average", ""},
    {"sum", "weighted_sum", ""},
    {"tensorsum", "weighted_sum", ""},
    {"tiesmerging", "ties", ""},
    {"uniformsoup", "average", ""},
    {"weighted", "weighted_sum", ""},
};

std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == ' ') continue;
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return folded;
}

const ForeignOperator* Find(std::string_view name) {
  const auto* const row = std::ranges::find(kTable, Folded(name), &ForeignOperator::name);
  return row == std::end(kTable) ? nullptr : row;
}

}  // namespace

std::string ForeignOperatorLike(std::string_view name) {
  const ForeignOperator* const row = Find(name);
  return row != nullptr && row->does.empty() ? std::string(row->nearest) : std::string();
}

std::string_view NearestToForeign(std::string_view name) {
  const ForeignOperator* const row = Find(name);
  return row == nullptr ? std::string_view() : row->nearest;
}

std::string AboutForeignOperator(std::string_view name) {
  const ForeignOperator* const row = Find(name);
  if (row == nullptr) return {};
  if (row->does.empty()) return fmt::format("It is called {} here.", row->nearest);
  return fmt::format("{} is not here yet. It {}.", name,
                     fmt::format(fmt::runtime(row->does), row->nearest));
}

}  // namespace weightsmith::internal
