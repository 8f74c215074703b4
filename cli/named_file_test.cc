// A file that is not there: whoever named it is told which, and how to look.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/tool_testing.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(NamedFileTest, OneThatIsNotThereIsNamedWithWhatToDo) {
  const std::vector<std::vector<std::string>> commands = {
      {"catalogue", "apply", "gone it is"},
      {"grant", "apply", "gone it is"},
      {"access", "request", "-f", "gone it is"},
      {"access", "approve", "r-7q4m2k", "-f", "gone it is"},
      {"certs", "show", "gone it is"},
      {"certs", "publish", "gone it is"},
      {"certs", "sign", "gone it is", "--ca", "ca", "--as", "spiffe://a.b/gateway/gw1", "-o", "x"},
  };
  for (const auto& command : commands) {
    Tool tool;
    const Ran ran = tool.Run(command);
    EXPECT_EQ(ran.code, 2) << command[0] << " " << command[1];
    EXPECT_THAT(ran.err, StartsWith("error: FILE_NOT_READ: gone it is: "));
    EXPECT_THAT(ran.err, HasSubstr("\n  next  ls -l 'gone it is' "));
    EXPECT_EQ(ran.out, "");
  }
}

}  // namespace
}  // namespace sluice::cli
