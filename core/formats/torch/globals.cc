#include "core/formats/torch/globals.h"

#include <algorithm>
#include <iterator>

namespace weightsmith::internal {
namespace {

constexpr std::string_view kSafe[] = {
    "_codecs.encode",
    "argparse.Namespace",
    "builtins.bool",
    "builtins.bytearray",
    "builtins.bytes",
    "builtins.complex",
    "builtins.dict",
    "builtins.float",
    "builtins.frozenset",
    "builtins.int",
    "builtins.list",
    "builtins.range",
    "builtins.set",
    "builtins.slice",
    "builtins.str",
    "builtins.tuple",
    "collections.Counter",
    "collections.OrderedDict",
    "collections.defaultdict",
    "datetime.date",
    "datetime.datetime",
    "datetime.time",
    "datetime.timedelta",
    "datetime.timezone",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.numeric._frombuffer",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy.core.numeric._frombuffer",
    "numpy.dtype",
    "numpy.ndarray",
    "pathlib.PosixPath",
    "pathlib.PurePosixPath",
    "pathlib.PureWindowsPath",
    "pathlib.WindowsPath",
    "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath",
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "torch.Size",
    "torch.Tensor",
    "torch.per_channel_affine",
    "torch.per_tensor_affine",
    "torch._tensor._rebuild_from_type_v2",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor",
    "torch._utils._rebuild_device_tensor_from_numpy",
    "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_nested_tensor",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_wrapper_subclass",
    "torch.device",
    "torch.nn.modules.container.ParameterDict",
    "torch.nn.parameter.Parameter",
    "torch.serialization._get_layout",
    "torch.storage.TypedStorage",
    "torch.storage.UntypedStorage",
};

/// Safe to name and not to call, beside the types of torch.
constexpr std::string_view kOnlyNamed[] = {
    "numpy.ndarray",
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "torch.storage.UntypedStorage",
};

/// Words behind "torch." that are dtypes; torch.FloatStorage and torch.FloatTensor go by their end.
constexpr std::string_view kDTypes[] = {"float", "bfloat", "int",  "uint", "complex",
                                        "bool",  "bits",   "qint", "quint"};

/// Modules that run, fetch or reach anything. Submodules are meant as well.
constexpr std::string_view kDangerous[] = {
    "os",
    "posix",
    "nt",
    "subprocess",
    "sys",
    "socket",
    "shutil",
    "pty",
    "runpy",
    "importlib",
    "imp",
    "ctypes",
    "multiprocessing",
    "asyncio",
    "pickle",
    "_pickle",
    "cPickle",
    "code",
    "codeop",
    "webbrowser",
    "pip",
    "pkgutil",
    "commands",
    "platform",
    "timeit",
    "bdb",
    "pdb",
    "requests",
    "urllib",
    "http",
    "httplib",
    "aiohttp",
    "ftplib",
    "smtplib",
    "functools",
    "operator",
    "pydoc",
    "doctest",
    "cProfile",
    "profile",
    "trace",
    "types",
    "inspect",
    "marshal",
    "tempfile",
    "io",
    "_io",
    "joblib",
    "dill",
    "cloudpickle",
    "linecache",
    "venv",
    "ensurepip",
};
constexpr std::string_view kDangerousNames[] = {
    "builtins.__import__", "builtins.apply",   "builtins.compile",
    "builtins.delattr",    "builtins.eval",    "builtins.exec",
    "builtins.execfile",   "builtins.getattr", "builtins.globals",
    "builtins.input",      "builtins.locals",  "builtins.open",
    "builtins.setattr",    "builtins.vars",    "torch.hub.load",
    "torch.load",          "torch.jit.load",   "torch.storage._load_from_bytes",
};

template <std::size_t N>
bool Holds(const std::string_view (&table)[N], std::string_view word) {
  return std::ranges::find(table, word) != std::end(table);
}

bool IsTorchType(std::string_view dotted) {
  for (const std::string_view module : {"torch.cuda.", "torch."}) {
    if (!dotted.starts_with(module)) continue;
    const std::string_view name = dotted.substr(module.size());
    if (name.find('.') != std::string_view::npos) continue;
    if (name.ends_with("Storage") || name.ends_with("Tensor")) return true;
    const std::string_view word = name.substr(0, name.find_first_of("0123456789"));
    if (Holds(kDTypes, word)) return true;
  }
  return false;
}

}  // namespace

std::string_view ToString(GlobalSafety safety) {
  switch (safety) {
    case GlobalSafety::kSafe:
      return "safe";
    case GlobalSafety::kUnknown:
      return "unknown";
    case GlobalSafety::kDangerous:
      break;
  }
  return "dangerous";
}

bool MayBeCalled(std::string_view safe) {
  return !IsTorchType(safe) && !Holds(kOnlyNamed, safe);
}

GlobalSafety ClassifyGlobal(std::string_view dotted) {
  if (Holds(kSafe, dotted) || IsTorchType(dotted)) return GlobalSafety::kSafe;
  const std::string_view module = dotted.substr(0, dotted.find('.'));
  if (Holds(kDangerous, module) || Holds(kDangerousNames, dotted)) return GlobalSafety::kDangerous;
  return GlobalSafety::kUnknown;
}

}  // namespace weightsmith::internal
