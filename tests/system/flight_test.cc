// Arrow Flight through a real gateway, by gRPC's own client. What Arrow's own library makes of it
// is tests/clients/flight.
#include "absl/strings/str_cat.h"
#include "arrow/flight/Flight.grpc.pb.h"
#include "gateway/audit/subjects.h"
#include "gateway/base/error.h"
#include "gateway/exchange/tokens.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/raw_client.h"
#include "tests/system/register.h"

namespace sluice::system_test {
namespace {

namespace flight = arrow::flight::protocol;

constexpr char kRelief[] = "agency/civil-affairs/system/relief";

class FlightSystemTest : public testing::Test {
 protected:
  std::unique_ptr<flight::FlightService::Stub> As(const std::string& party) {
    const RawClient client(gateway_.address(), gateway_.Read("tls/authority.pem"),
                           IdentityOf(gateway_, party));
    return flight::FlightService::NewStub(client.channel());
  }

  // Its reason, with what it says of where it is recorded.
  static google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
    google::rpc::Status details;
    google::rpc::ErrorInfo info;
    EXPECT_TRUE(details.ParseFromString(status.error_details())) << status.error_message();
    for (const auto& detail : details.details())
      if (detail.Is<google::rpc::ErrorInfo>()) detail.UnpackTo(&info);
    return info;
  }

  Deployment gateway_;
};

TEST_F(FlightSystemTest, ATicketPastItsTimeIsRefusedAndThatIsRecorded) {
  gateway_.Start();
  gateway_.OfferSample();
  // Sealed with the gateway's own key.
  const auto files = MakePosixFileSystem();
  const auto random = MakeSystemRandom();
  const auto pseudonyms = audit::Pseudonyms::FromFile(gateway_.Path("keys/subjects.key"), *files);
  ASSERT_TRUE(pseudonyms.ok()) << pseudonyms.status();
  const exchange::Tokens tokens((*pseudonyms)->DeriveKey("sluice/page-token/v1"), *random);
  v1::ReadRequest request;
  request.set_dataset("public-security/persons");
  request.set_purpose("relief");
  request.set_case_reference("R-0118");
  request.set_media_type("application/vnd.apache.arrow.stream");
  const Micros now = MakeSystemClock()->Now();
  const auto stub = As("relief");
  const auto fetch = [&](Micros expires) {
    flight::Ticket ticket;
    ticket.set_ticket(tokens.SealTicket(kRelief, request, expires));
    grpc::ClientContext context;
    const auto reader = stub->DoGet(&context, ticket);
    flight::FlightData data;
    while (reader->Read(&data)) {
    }
    return reader->Finish();
  };
  EXPECT_TRUE(fetch(now + kMinute).ok());
  const grpc::Status refused = fetch(now - 1);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  const google::rpc::ErrorInfo info = InfoOf(refused);
  EXPECT_EQ(info.reason(), "TICKET_EXPIRED");
  const auto denied = gateway_.Records(v1::RECORD_KIND_DENIED);
  ASSERT_EQ(denied.size(), 1u);
  EXPECT_EQ(absl::StrCat(denied[0].index()), info.metadata().at("index"));
  EXPECT_EQ(denied[0].envelope().reason(), v1::REASON_TICKET_EXPIRED);
  EXPECT_EQ(denied[0].envelope().actor().principal(), kRelief);
}

TEST_F(FlightSystemTest, AClientThatGivesUpIsToldOfInTheLog) {
  OfferRegister(gateway_, 300'000);
  const auto stub = As("relief");
  flight::FlightDescriptor descriptor;
  descriptor.set_type(flight::FlightDescriptor::PATH);
  descriptor.add_path("public-security");
  descriptor.add_path("register");
  grpc::ClientContext asking;
  asking.AddMetadata("sluice-purpose", "relief");
  flight::FlightInfo info;
  const grpc::Status asked = stub->GetFlightInfo(&asking, descriptor, &info);
  ASSERT_TRUE(asked.ok()) << asked.error_message();
  ASSERT_EQ(info.endpoint_size(), 1);

  grpc::ClientContext context;
  const auto reader = stub->DoGet(&context, info.endpoint(0).ticket());
  flight::FlightData data;
  ASSERT_TRUE(reader->Read(&data));
  EXPECT_TRUE(data.data_body().empty());
  ASSERT_TRUE(reader->Read(&data));
  EXPECT_FALSE(data.data_body().empty());
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(Eventually([&] {
    const auto closed = gateway_.Records(v1::RECORD_KIND_CLOSED);
    return closed.size() == 1 && closed[0].envelope().reason() == v1::REASON_CANCELLED &&
           closed[0].envelope().batches() >= 2;
  }));
  EXPECT_EQ(gateway_.Records(v1::RECORD_KIND_CHECKED).size(), 1u);
  EXPECT_THAT(gateway_.Verify(), testing::HasSubstr("1 opened, 1 closed"));
}

}  // namespace
}  // namespace sluice::system_test
