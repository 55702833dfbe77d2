#include "merge/arithmetic/opposite.h"

namespace weightsmith::internal {

void TellOpposite(Lowering& tape, Value x, Value y) {
  const Value signs = tape.Multiply(tape.Sign(x), tape.Sign(y));
  tape.TellShare("sign conflicts", tape.Min(signs, Value::Zero()));
}

}  // namespace weightsmith::internal
