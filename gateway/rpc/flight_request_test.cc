#include "gateway/rpc/flight_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/error.h"

namespace sluice::rpc {
namespace {

using arrow::flight::protocol::FlightDescriptor;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

FlightDescriptor PathOf(const std::vector<std::string>& parts) {
  FlightDescriptor descriptor;
  descriptor.set_type(FlightDescriptor::PATH);
  for (const std::string& part : parts) descriptor.add_path(part);
  return descriptor;
}

FlightDescriptor CommandOf(std::string_view json) {
  FlightDescriptor descriptor;
  descriptor.set_type(FlightDescriptor::CMD);
  descriptor.set_cmd(std::string(json));
  return descriptor;
}

FlightDescriptor Persons() { return PathOf({"public-security", "persons"}); }

// The parts that are refused, in order.
std::vector<std::string> RefusedOf(const FlightDescriptor& descriptor,
                                   const CallHeaders& headers = {}) {
  const absl::Status status = ReadRequestOf(descriptor, headers).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_REQUEST_INVALID) << status;
  std::vector<std::string> parts;
  const auto bad = BadRequestOf(status);
  if (bad) {
    for (const auto& violation : bad->field_violations()) parts.push_back(violation.field());
  }
  return parts;
}

TEST(FlightRequestTest, APathWithHeadersIsARead) {
  const auto request = ReadRequestOf(Persons(), {{"sluice-purpose", "relief"},
                                                 {"sluice-case-reference-bin", "案-0118"},
                                                 {"sluice-end-user", "li.4"},
                                                 {"sluice-on-behalf-of", "office 7"},
                                                 {"sluice-grant", "7q4m2k"},
                                                 {"sluice-fields", "name, county"},
                                                 {"sluice-filter", "county = 'a,b'"},
                                                 {"sluice-request-id", "access-1"},
                                                 {"user-agent", "grpc-node-js/1.14.7"}});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->dataset(), "public-security/persons");
  EXPECT_EQ(request->purpose(), "relief");
  EXPECT_EQ(request->case_reference(), "案-0118");
  EXPECT_EQ(request->end_user(), "li.4");
  EXPECT_EQ(request->on_behalf_of(), "office 7");
  EXPECT_EQ(request->grant(), "7q4m2k");
  EXPECT_THAT(request->fields(), ElementsAre("name", "county"));
  EXPECT_EQ(request->filter(), "county = 'a,b'");
  EXPECT_EQ(request->request_id(), "access-1");
  EXPECT_EQ(request->media_type(), "application/vnd.apache.arrow.stream");
}

TEST(FlightRequestTest, ACommandIsAReadRequestThatHeadersMayAddTo) {
  const auto request = ReadRequestOf(
      CommandOf(R"({"dataset": "public-security/persons", "resumeToken": "t", "purpose": "relief",
                    "parameters": {"id": {"values": [{"stringValue": "x"}]}}})"),
      {{"sluice-case-reference", "R-0118"}});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->dataset(), "public-security/persons");
  EXPECT_EQ(request->resume_token(), "t");
  EXPECT_EQ(request->parameters().at("id").values(0).string_value(), "x");
  EXPECT_EQ(request->case_reference(), "R-0118");
  EXPECT_EQ(request->media_type(), "application/vnd.apache.arrow.stream");
}

TEST(FlightRequestTest, EachMistakeNamesItsPart) {
  EXPECT_THAT(RefusedOf(FlightDescriptor()), ElementsAre("flight_descriptor.type"));
  for (const std::vector<std::string>& parts : {std::vector<std::string>{},
                                                {"public-security/persons"},
                                                {"a", "b", "c"},
                                                {"a/b", "c"},
                                                {"a", ""},
                                                {"A", "b"}}) {
    EXPECT_THAT(RefusedOf(PathOf(parts)), ElementsAre("flight_descriptor.path"));
  }
  FlightDescriptor both = Persons();
  both.set_cmd("{}");
  EXPECT_THAT(RefusedOf(both), ElementsAre("flight_descriptor.cmd"));
  both = CommandOf("{}");
  both.add_path("a");
  EXPECT_THAT(RefusedOf(both), ElementsAre("flight_descriptor.path"));
  for (const std::string& command :
       {std::string("not json"), std::string(R"({"datset": "a/b"})"), std::string("[]"),
        std::string("{\"dataset\": \"\xff\"}"), std::string(300 << 10, ' ') + "{}",
        std::string(100'000, '[')}) {
    EXPECT_THAT(RefusedOf(CommandOf(command)), ElementsAre("flight_descriptor.cmd"));
  }
  EXPECT_THAT(RefusedOf(CommandOf(R"({"mediaType": "text/csv"})")),
              ElementsAre("flight_descriptor.cmd.media_type"));
  EXPECT_THAT(RefusedOf(Persons(), {{"sluice-end-user-bin", "\xff"}, {"sluice-fields", "a,,b"}}),
              ElementsAre("headers.sluice-end-user-bin", "headers.sluice-fields"));
}

// Which of two claims was meant is not for us to guess.
TEST(FlightRequestTest, WhatIsGivenTwiceIsRefused) {
  EXPECT_THAT(
      RefusedOf(Persons(), {{"sluice-purpose", "relief"}, {"sluice-purpose-bin", "relief"}}),
      ElementsAre("headers.sluice-purpose-bin"));
  EXPECT_THAT(RefusedOf(Persons(), {{"sluice-fields", "a"}, {"sluice-fields", "b"}}),
              ElementsAre("headers.sluice-fields"));
  EXPECT_THAT(RefusedOf(CommandOf(R"({"purpose": "relief"})"), {{"sluice-purpose", "relief"}}),
              ElementsAre("headers.sluice-purpose"));
}

TEST(FlightRequestTest, AMisspeltHeaderIsToldWhichItMayBeAndNotRepeated) {
  const absl::Status status =
      ReadRequestOf(Persons(), {{"sluice-case-referense", "R-0118"}}).status();
  EXPECT_EQ(ErrorInfoOf(status)->metadata().at("nearest"), "sluice-case-reference");
  EXPECT_THAT(status.ToString(), Not(HasSubstr("referense")));
  EXPECT_THAT(RefusedOf(Persons(), {{"sluice-x", "y"}}), ElementsAre("headers"));
}

TEST(FlightRequestTest, NothingThatIsRefusedIsRepeated) {
  const absl::Status status =
      ReadRequestOf(CommandOf(R"({"dataset": {"990101199001013019": 1}})"), {}).status();
  EXPECT_THAT(status.ToString(), Not(HasSubstr("990101")));
}

}  // namespace
}  // namespace sluice::rpc
