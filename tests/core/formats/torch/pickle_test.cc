#include "core/formats/torch/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

using std::string_view_literals::operator""sv;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Problem(std::string_view bytes) {
  try {
    ReadPickle(bytes);
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

TEST(Pickle, FramesHoldWholeOpcodes) {
  EXPECT_EQ(ReadPickle("\x80\x04\x95\x03\0\0\0\0\0\0\0K\x07."sv).size(), 14u);
  EXPECT_THAT(Problem("\x80\x04\x95\x01\0\0\0\0\0\0\0K\x07."sv), HasSubstr("inside an opcode"));
  EXPECT_THAT(Problem("\x80\x04\x95\x02\0\0\0\0\0\0\0K\x07.N"sv), IsEmpty());
  EXPECT_THAT(Problem("\x80\x04\x95\x04\0\0\0\0\0\0\0K\x07.N"sv), HasSubstr("before its frame"));
  EXPECT_THAT(Problem("\x80\x04\x95\x09\0\0\0\0\0\0\0K\x07."sv), HasSubstr("cut off"));
}

TEST(Pickle, NumbersAreDecimal) {
  EXPECT_EQ(ReadPickle("I-12\n.").integer(0), -12);
  for (const char* text :
       {"I010\n.", "I0x10\n.", "I1_0\n.", "I 1\n.", "I1L\n.", "L010L\n.", "F1,5\n.",
        "I44444444444444444444x1\n.", "L44444444444444444444\xa1L\n."}) {
    EXPECT_THAT(Problem(text), HasSubstr("malformed number")) << text;
  }
}

TEST(Pickle, HarmlessNamesAreNoted) {
  EXPECT_THAT(ReadPickle("cnumpy\nndarray\n)R.").oddities(),
              ElementsAre("calls numpy.ndarray, which checkpoints only name"));
  EXPECT_THAT(ReadPickle("ctorch\nTensor\n}b.").oddities(),
              ElementsAre("sets attributes of torch.Tensor"));
  EXPECT_THAT(ReadPickle("ccollections\nOrderedDict\n)R}b.").oddities(), IsEmpty());
  EXPECT_THAT(ReadPickle("cbuiltins\nlist\n)R)R.").oddities(),
              ElementsAre("calls what is no name of a file"));
}

TEST(Pickle, ANumberEndsAtANul) {
  EXPECT_THAT(TracePickle("I1\0 and more\n0cos\nsystem\n."sv).globals, ElementsAre("os.system"));
}

TEST(Pickle, ATraceDoesNotWaitForWhatNoReaderTakes) {
  // A PUT, GLOBAL, BYTEARRAY8 and FRAME: as the length of a safetensors header may begin.
  for (const std::string_view start : {"p"sv, "c"sv, "\226"sv, "\225"sv}) {
    const PickleTrace trace = TracePickle(std::string(start) + std::string("A\1\0\0\0\0\0{}", 9));
    EXPECT_FALSE(trace.problem.empty());
    EXPECT_FALSE(trace.cut_off) << start;
  }
}

TEST(Pickle, ATraceGoesOnWhereReadersMay) {
  EXPECT_THAT(TracePickle("I0x10\n0cos\nsystem\n.").globals, ElementsAre("os.system"));
  EXPECT_THAT(TracePickle("\x95\x01\0\0\0\0\0\0\0cos\nsystem\n."sv).globals,
              ElementsAre("os.system"));
  const PickleTrace cut = TracePickle("cos\nsystem\nX\xFF\0\0\0"sv);
  EXPECT_THAT(cut.globals, ElementsAre("os.system"));
  EXPECT_TRUE(cut.cut_off);
  const PickleTrace none = TracePickle("8\0\0\0"sv);
  EXPECT_THAT(none.globals, IsEmpty());
  EXPECT_FALSE(none.cut_off);
}

}  // namespace
}  // namespace weightsmith::internal
