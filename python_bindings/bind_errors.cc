#include <fmt/format.h>
#include <nanobind/stl/string.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/missing_file.h"
#include "python_bindings/bindings.h"
#include "recipes/diagnostic.h"

namespace weightsmith::internal::python {

namespace nb = nanobind;

namespace {

/// Names of files may be any bytes, a text of Python may not.
nb::object Text(std::string_view text) {
  return nb::steal(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

/// (file, line, column, message, advice) of everything that is wrong in a recipe's text.
nb::list Problems(const Error& error) {
  nb::list problems;
  const auto* const recipe = dynamic_cast<const RecipeProblems*>(&error);
  if (recipe == nullptr) return problems;
  for (const Diagnostic& problem : recipe->errors()) {
    const SourcePlace& place = problem.place;
    problems.append(nb::make_tuple(Text(place.source == nullptr ? "" : place.source->name),
                                   place.line, place.column, Text(problem.message),
                                   Text(problem.advice)));
  }
  return problems;
}

/// How Python spells the settings that errors advise.
std::string_view OptionSentence(Option option) {
  switch (option) {
    case Option::kOverwrite:
      return "overwrite=True replaces it.";
    case Option::kMakeFolders:
      return "make_folders=True makes missing folders.";
    case Option::kMaxMemory:
      return "max_memory= sets what a run may hold.";
    case Option::kReadInsteadOfMap:
      return "Use io='read'.";
    case Option::kAllowUnmatched:
      return "Lora(path, allow_unmatched=REGEX) allows modules that change nothing.";
    case Option::kModelFolders:
      return "models=[FOLDER], or WEIGHTSMITH_MODELS, names folders with models.";
    case Option::kModelPath:
      return "model={NAME: PATH} names the file of an input.";
    case Option::kSelectOutput:
      return "Choose one with output_step=.";
    case Option::kMaxShardSize:
      return "max_shard_size= sets the size of files.";
    case Option::kTrustPartial:
      return "trust_partial=True skips this check.";
    case Option::kCheckFileOnly:
      return "recompute=False checks the file alone.";
  }
  throw std::logic_error("an option without a sentence");
}

}  // namespace

std::string AdviceOf(const Error& error) {
  std::string advice = error.advice();
  for (const Option option : error.options()) {
    if (!advice.empty()) advice += advice.back() == '\n' ? "" : " ";
    advice += OptionSentence(option);
  }
  return advice;
}

namespace {

void Raise(const Error& error) {
  if (error.code() == ErrorCode::kInterrupted) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return;
  }
  const bool missing = dynamic_cast<const MissingFile*>(&error) != nullptr;
  const nb::object exception = nb::module_::import_("weightsmith._errors")
                                   .attr("make")(static_cast<int>(error.code()), Text(error.what()),
                                                 Text(AdviceOf(error)), Problems(error), missing);
  PyErr_SetObject(exception.type().ptr(), exception.ptr());
}

}  // namespace

void BindErrors(nb::module_& /*module*/) {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      Raise(error);
    } catch (const std::filesystem::filesystem_error& error) {
      Raise(Error(ErrorCode::kFailed,
                  fmt::format("{}: {}", Quote(error.path1().string()), error.code().message())));
    }
  });
}

}  // namespace weightsmith::internal::python
