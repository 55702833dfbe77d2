#include <nanobind/stl/string.h>

#include <string>
#include <string_view>

#include "core/error.h"
#include "python_bindings/bindings.h"
#include "recipes/diagnostic.h"

namespace weightsmith::python {

namespace nb = nanobind;

namespace {

/// (file, line, column, message, advice) of everything that is wrong in a recipe's text.
nb::list Problems(const Error& error) {
  nb::list problems;
  const auto* const recipe = dynamic_cast<const RecipeProblems*>(&error);
  if (recipe == nullptr) return problems;
  for (const Diagnostic& problem : recipe->errors()) {
    const SourcePlace& place = problem.place;
    problems.append(nb::make_tuple(place.source == nullptr ? "" : place.source->name, place.line,
                                   place.column, problem.message, problem.advice));
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
      return "allow_unmatched= allows modules that change nothing.";
    case Option::kModelFolders:
      return "models=, or WEIGHTSMITH_MODELS, names folders with models.";
    case Option::kModelPath:
      return "model={name: path} names the file of an input.";
    case Option::kCheckFileOnly:
      return "recompute=False checks the file alone.";
  }
  return {};
}

std::string AdviceOf(const Error& error) {
  std::string advice = error.advice();
  for (const Option option : error.options()) {
    const std::string_view sentence = OptionSentence(option);
    if (!advice.empty()) advice += ' ';
    advice += sentence;
  }
  return advice;
}

}  // namespace

void BindErrors(nb::module_& /*module*/) {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted) {
        PyErr_SetNone(PyExc_KeyboardInterrupt);
        return;
      }
      const nb::object exception =
          nb::module_::import_("weightsmith._errors")
              .attr("make")(static_cast<int>(error.code()), nb::str(error.what()),
                            nb::str(AdviceOf(error).c_str()), Problems(error));
      PyErr_SetObject(exception.type().ptr(), exception.ptr());
    }
  });
}

}  // namespace weightsmith::python
