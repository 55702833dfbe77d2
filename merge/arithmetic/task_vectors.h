// What the methods have in common that add differences of fine-tunes to their base.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "merge/operator.h"

namespace weightsmith::internal {

// `base`, `of` with or without weights, and what is done with the sum.
OperandSpec BaseOperand();
OperandListSpec FineTunes(bool weighted);
ParameterSpec NormalizeParameter(bool by_default, std::string_view doc);
ParameterSpec LambdaParameter();
/// `sign`: what elects it.
ParameterSpec SignParameter();

/// "" or that `of` has no model.
std::string CheckFineTunes(const ArgumentsGiven& given);
/// "" or that `of` has fewer than two.
std::string CheckTwoFineTunes(const ArgumentsGiven& given);
/// "" or that there is nothing to divide by where `normalize` is set.
std::string CheckSumOfWeights(const Arguments& given);
/// Likewise where an element is divided by the weights of those that have it: of weights that are
/// all 0 none has.
std::string CheckSumOfPresent(const Arguments& given);

/// Each model of the list less the base.
std::vector<Value> Differences(Lowering& tape, const Arguments& given);

/// Each times its weight.
std::vector<Value> Weighted(Lowering& tape, std::span<const Value> terms,
                            std::span<const double> weights);

/// The sum, from left to right; divided by that of the weights where `normalize`.
Value SumOfTerms(Lowering& tape, std::span<const Value> terms, std::span<const double> weights,
                 bool normalize);

/// For each element the value whose sign counts: KeepSign by it. `sign` is a word of SignParameter:
/// total has the sign of the sum, frequency and majority that which more terms have.
Value Votes(Lowering& tape, std::span<const Value> terms, std::string_view sign);

/// Each term where it has the sign that is elected, else 0. Where the votes are equal + is elected,
/// but no sign with majority.
std::vector<Value> OfElectedSign(Lowering& tape, std::span<const Value> terms,
                                 std::string_view sign);

/// The sum of terms; where `normalize`, each element is divided by the sum of the weights of those
/// that are not 0 there.
Value SumOfPresent(Lowering& tape, std::span<const Value> terms, std::span<const double> weights,
                   bool normalize);

/// base + lambda·sum.
Value AddToBase(Lowering& tape, const Arguments& given, Value sum);

/// base + lambda·(the sum of weighted terms), by the parameter `normalize`.
Value AddSum(Lowering& tape, const Arguments& given, std::span<const Value> terms);

/// The same of what has the elected sign, by the parameters `sign` and `normalize`.
Value AddAgreed(Lowering& tape, const Arguments& given, std::span<const Value> terms);

}  // namespace weightsmith::internal
