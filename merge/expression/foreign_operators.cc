#include "merge/expression/foreign_operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "merge/operator.h"

namespace weightsmith::internal {
namespace {

struct ForeignOperator {
  std::string_view name;     // folded
  std::string_view nearest;  // an operator of ours
  /// What it does beyond that, or "is …", how that one does it; empty: it is the same.
  std::string_view does;
};

constexpr ForeignOperator kTable[] = {
    {"addcosinea", "cosine_a", "is {} with `scope: tensor`"},
    {"addcosineb", "cosine_b", "is {} with `scope: tensor`"},
    {"adddifferenceties", "ties", "is {} with `trim: mecha, sign: majority`"},
    {"adddifferencetiesextended", "ties", "is {} with `trim: mecha, sign: majority` and `combine`"},
    {"addoppositemask", "add_opposite", "is what {} adds"},
    {"addperpendicular", "perpendicular", "is {} of two differences, added to a"},
    {"addstrictoppositemask", "add_opposite", "is what {} adds with `where: opposite`"},
    {"addtieswithdare", "ties", "is {} of models that dare_linear or della_linear has thinned"},
    {"arcee", "arcee_fusion", ""},
    {"balanceattention", "align_attention",
     "evens out the tensors of one model; {} turns those of one towards another"},
    {"cast", "copy", "is {} with the `dtype` of the output"},
    {"copyregion", "tensor_sum", "is {}, or top_k_tensor_sum"},
    {"dare", "dare_linear", ""},
    {"exchangeema", "ema", ""},
    {"extractkohyalokr", "truncate_rank", "makes an adapter; {} brings a difference to its rank"},
    {"extractkohyalora", "truncate_rank", "makes an adapter; {} brings a difference to its rank"},
    {"extractlycorislokr", "truncate_rank", "makes an adapter; {} brings a difference to its rank"},
    {"extractlycorislora", "truncate_rank", "makes an adapter; {} brings a difference to its rank"},
    {"fwm", "add_difference", "matches the spread of a difference to a; {} adds it as it is"},
    {"geometric", "geometric_sum", ""},
    {"getrankfromratio", "truncate_rank", "is the `ratio` of {}"},
    {"gitrebasin", "rebasin", ""},
    {"identity", "copy", ""},
    {"karchermean", "karcher", ""},
    {"lerp", "weighted_sum", ""},
    {"mean", "average", ""},
    {"mix", "weighted_sum", ""},
    {"modelbreadcrumbs", "breadcrumbs", ""},
    {"modelsoup", "average", ""},
    {"naverage", "average", ""},
    {"nmodelstock", "model_stock", ""},
    {"normal", "weighted_sum", ""},
    {"normalizeto", "norm_match", ""},
    {"omitcomponent", "copy", "is {} with `components` of the output"},
    {"omitnonfinite", "copy",
     "leaves tensors out; {} keeps all, and the policy `non_finite` says what becomes of NaN"},
    {"perpendicularcomponent", "perpendicular", ""},
    {"pickcomponent", "copy", "is {} with `components` of the output"},
    {"plusrandom", "noise", "draws without a seed; {} has one"},
    {"randperm", "rebasin", "permutes at random; {} permutes towards another model"},
    {"self", "passthrough", "is {} with `scale` by place, 1 for norms and outputs"},
    {"sig", "weighted_sum", "bends alpha by a sigmoid; {} takes alpha as it is"},
    {"sigmoid", "weighted_sum", "bends alpha by a sigmoid; {} takes alpha as it is"},
    {"singularvaluecalibration", "svc", ""},
    {"smoothaddmt", "smooth_add", ""},
    {"soup", "average", ""},
    {"sum", "weighted_sum", ""},
    {"tensor", "tensor_sum", ""},
    {"tensor2", "tensor_sum_2", ""},
    {"tiesadddifference", "ties", "is {} with `trim: mecha, sign: majority`"},
    {"tiesmerging", "ties", ""},
    {"tiessum", "ties", "is {} with `trim: mecha, sign: majority`"},
    {"tiessumextended", "ties", "is {} with `trim: mecha, sign: majority` and `combine`"},
    {"tiessumwithdropout", "ties", "is {} of models that dare_linear or della_linear has thinned"},
    {"traindifferencemask", "train_difference", "is what {} adds"},
    {"truncatekronecker", "truncate_rank", "keeps Kronecker products; {} keeps ranks"},
    {"tsv", "tsv_merge", ""},
    {"tsvm", "tsv_merge", ""},
    {"uniformsoup", "average", ""},
    {"weighted", "weighted_sum", ""},
    {"weightedsubtraction", "linear",
     "is {} with the weights 1/(1 - alpha*beta) and -alpha*beta/(1 - alpha*beta)"},
    {"weightsum", "weighted_sum", ""},
};

std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == ' ') continue;
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return folded;
}

/// One of ours that is written otherwise: "DARE-TIES" for dare_ties; null for none.
const Operator* FindSpelledOtherwise(std::string_view name) {
  if (FindOperator(name) != nullptr) return nullptr;
  const std::string folded = Folded(name);
  const auto found = std::ranges::find_if(
      Operators(), [&](const Operator* op) { return Folded(op->name) == folded; });
  return found == Operators().end() ? nullptr : *found;
}

std::optional<ForeignOperator> Find(std::string_view name) {
  if (const Operator* op = FindSpelledOtherwise(name)) return ForeignOperator{name, op->name, {}};
  const auto* const row = std::ranges::find(kTable, Folded(name), &ForeignOperator::name);
  return row == std::end(kTable) ? std::nullopt : std::optional(*row);
}

}  // namespace

std::string ForeignOperatorLike(std::string_view name) {
  const std::optional<ForeignOperator> row = Find(name);
  return row && row->does.empty() ? std::string(row->nearest) : std::string();
}

std::string_view NearestToForeign(std::string_view name) {
  const std::optional<ForeignOperator> row = Find(name);
  return row ? row->nearest : std::string_view();
}

std::string AboutForeignOperator(std::string_view name) {
  if (FindSpelledOtherwise(name) != nullptr) return {};
  const std::optional<ForeignOperator> row = Find(name);
  if (!row) return {};
  if (row->does.empty()) return fmt::format("It is called {} here.", row->nearest);
  const std::string does = fmt::format(fmt::runtime(row->does), row->nearest);
  if (does.starts_with("is ")) return fmt::format("{} {}.", name, does);
  return fmt::format("{} is not here yet. It {}.", name, does);
}

}  // namespace weightsmith::internal
