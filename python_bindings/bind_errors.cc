#include <nanobind/stl/string.h>

#include <string>

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
                            nb::str(error.advice().c_str()), Problems(error));
      PyErr_SetObject(exception.type().ptr(), exception.ptr());
    }
  });
}

}  // namespace weightsmith::python
