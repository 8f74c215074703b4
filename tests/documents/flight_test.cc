// docs/formats/flight.md against what takes requests apart.
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "gateway/rpc/flight_request.h"
#include "tests/documents/document.h"

namespace sluice {
namespace {

using arrow::flight::protocol::FlightDescriptor;

TEST(FlightTest, TheCommandShownIsARequest) {
  FlightDescriptor descriptor;
  descriptor.set_type(FlightDescriptor::CMD);
  descriptor.set_cmd(
      absl::StrJoin(LinesOfBlock(ReadDocument("docs/formats/flight.md"), "json"), "\n"));
  const auto request = rpc::ReadRequestOf(descriptor, {});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->dataset(), "public-security/persons");
  EXPECT_EQ(request->parameters().at("county").values(0).string_value(), "东城区");
}

TEST(FlightTest, EachHeaderShownIsTaken) {
  const std::string page = ReadDocument("docs/formats/flight.md");
  for (const char* header :
       {"sluice-purpose", "sluice-case-reference", "sluice-end-user", "sluice-on-behalf-of",
        "sluice-grant", "sluice-fields", "sluice-filter", "sluice-request-id"}) {
    EXPECT_NE(page.find(std::string("`") + header + "`"), page.npos) << header;
    FlightDescriptor descriptor;
    descriptor.set_type(FlightDescriptor::PATH);
    descriptor.add_path("public-security");
    descriptor.add_path("persons");
    EXPECT_TRUE(rpc::ReadRequestOf(descriptor, {{header, "value"}}).ok()) << header;
  }
}

}  // namespace
}  // namespace sluice
