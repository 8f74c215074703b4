#include "adapters/files/plain_number.h"

#include "gtest/gtest.h"

namespace sluice::adapters::files {
namespace {

TEST(PlainNumberTest, EveryWayOfWritingBecomesOne) {
  const std::pair<const char*, const char*> cases[] = {{"0", "0"},
                                                       {"-0", "0"},
                                                       {"-0.00", "0.00"},
                                                       {"+7", "7"},
                                                       {"007", "7"},
                                                       {".5", "0.5"},
                                                       {"-.5", "-0.5"},
                                                       {"5.", "5"},
                                                       {"12.50", "12.50"},
                                                       {"1.5e+003", "1500"},
                                                       {"1E3", "1000"},
                                                       {"150e-2", "1.5"},
                                                       {"1.50e-03", "0.0015"},
                                                       {"0.000e+000", "0.000"},
                                                       {"123e-5", "0.00123"}};
  for (const auto& [written, plain] : cases) {
    std::string out;
    EXPECT_TRUE(WritePlainNumber(written, out)) << written;
    EXPECT_EQ(out, plain) << written;
  }
  for (const char* none :
       {"-", ".", "e5", "1e", "1e+", "1,5", "1.2.3", "0x1", "1e999", "1 2", "NaN"}) {
    std::string out;
    EXPECT_FALSE(WritePlainNumber(none, out)) << none;
  }
}

TEST(PlainNumberTest, ZerosBehindThePointAreDroppedDownToThoseKept) {
  const auto dropped = [](std::string number, size_t kept) {
    DropZeros(number, kept);
    return number;
  };
  EXPECT_EQ(dropped("12.500", 2), "12.50");
  EXPECT_EQ(dropped("12.00", 0), "12");
  EXPECT_EQ(dropped("12.50", 0), "12.5");
  EXPECT_EQ(dropped("1200", 0), "1200");
}

}  // namespace
}  // namespace sluice::adapters::files
