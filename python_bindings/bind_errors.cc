#include <string>

#include "core/error.h"
#include "python_bindings/bindings.h"

namespace weightsmith::python {

namespace nb = nanobind;

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
                            nb::str(error.advice().c_str()));
      PyErr_SetObject(exception.type().ptr(), exception.ptr());
    }
  });
}

}  // namespace weightsmith::python
