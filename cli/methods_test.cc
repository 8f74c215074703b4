// What the tool calls is what the services have.
#include "cli/methods.h"

#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"

namespace sluice::cli {
namespace {

template <class M>
void ExpectServed(const M& method) {
  // "/sluice.v1.Registry/WhoAmI".
  const std::string name = absl::StrReplaceAll(std::string(method.path).substr(1), {{"/", "."}});
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  ASSERT_NE(found, nullptr) << name;
  EXPECT_EQ(found->input_type(), M::Request::descriptor()) << name;
  EXPECT_EQ(found->output_type(), M::Response::descriptor()) << name;
}

TEST(MethodsTest, EachIsOfAServiceWithItsMessages) {
#define SLUICE_EXPECT(service, name) ExpectServed(k##name);
  SLUICE_CLI_METHODS(SLUICE_EXPECT)
#undef SLUICE_EXPECT
  ExpectServed(kPreview);
}

}  // namespace
}  // namespace sluice::cli
