// The listeners beside gRPC's, asked by programs that share no code with them.
#include <csignal>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/http/http_client_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using http::BareClient;
using http::BodyOf;
using http::Get;
using http::StatusOf;
using testing::HasSubstr;
using testing::Not;

class OperationsHttpTest : public testing::Test {
 protected:
  // With the listener on any port.
  void Start() {
    gateway_.Replace("sluiced.yaml", "listen: \"\"  ", "listen: 127.0.0.1:0  ");
    gateway_.Start();
    address_ = gateway_.Events("http_listening").at(0).at("address");
  }

  nlohmann::json Metrics() {
    const Finished read = Execute({"python3", SLUICE_TEST_SCRIPTS "/read_metrics.py",
                                   absl::StrCat("http://", address_, "/metrics")});
    EXPECT_EQ(read.code, 0) << read.errors;
    return read.code == 0 ? nlohmann::json::parse(read.output) : nlohmann::json();
  }

  Deployment gateway_;
  std::string address_;
};

TEST_F(OperationsHttpTest, TellsLifeReadinessAndMetrics) {
  Start();
  gateway_.OfferSample();

  EXPECT_EQ(BodyOf(Get(address_, "/healthz")), "alive\n");
  EXPECT_EQ(BodyOf(Get(address_, "/readyz")), "ready\n");
  EXPECT_EQ(StatusOf(Get(address_, "/tile/0/000")), 404) << "the log is not the operator's to read";
  const nlohmann::json before = Metrics();
  ASSERT_TRUE(Call(gateway_.As("relief"), cli::kQuery, Deployment::PersonsQuery()).ok());
  v1::QueryRequest other = Deployment::PersonsQuery(SampleIds()[0]);
  other.set_purpose("tax");
  EXPECT_FALSE(Call(gateway_.As("relief"), cli::kQuery, other).ok());
  const nlohmann::json after = Metrics();

  const std::string released = "sluice_exchanges_total mode=query outcome=released reason=";
  EXPECT_EQ(before.at(released), 0);
  EXPECT_EQ(after.at(released), 1);
  double denied = 0;
  for (const auto& [name, value] : after.items())
    if (name.starts_with("sluice_exchanges_total mode=query outcome=denied"))
      denied += value.get<double>();
  EXPECT_EQ(denied, 1) << after.dump(1);
  EXPECT_EQ(after.at("sluice_exchange_duration_seconds_count mode=query"), 2);
  EXPECT_EQ(after.at("sluice_exchanges_running"), 0);
  EXPECT_EQ(after.at("sluice_ready"), 1);
  EXPECT_EQ(after.at("sluice_audit_log_poisoned"), 0);
  EXPECT_GT(after.at("sluice_audit_log_records"), before.at("sluice_audit_log_records"));
  EXPECT_GT(after.at("sluice_audit_log_sync_duration_seconds_count"),
            before.at("sluice_audit_log_sync_duration_seconds_count"));
  EXPECT_GT(after.at("sluice_audit_log_head_timestamp_seconds"), 0);
  EXPECT_GT(after.at("sluice_audit_log_disk_free_bytes"), 0);
  EXPECT_GT(after.at("sluice_process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(after.at("sluice_certificate_expiry_timestamp_seconds"),
            after.at("sluice_start_timestamp_seconds"));
  EXPECT_EQ(after.at("sluice_source_breaker_state source=residents state=closed"), 1);
  // Promise 6.
  const std::string page = Get(address_, "/metrics");
  for (const std::string& id : SampleIds()) EXPECT_THAT(page, Not(HasSubstr(id)));
  EXPECT_THAT(page, Not(HasSubstr("civil-affairs/relief")));
}

TEST_F(OperationsHttpTest, AHostileClientHoldsNeitherTheGatewayNorItsDrain) {
  gateway_.Replace("sluiced.yaml", "drain_notice: 10ms", "drain_notice: 3s");
  Start();
  BareClient idle(address_), half(address_);
  half.Send("GET /metrics HTTP/1.1\r\nHos");

  gateway_.daemon().Signal(SIGTERM);
  std::string answer;
  EXPECT_TRUE(Eventually([&] { return StatusOf(answer = Get(address_, "/readyz")) != 200; }));
  EXPECT_EQ(StatusOf(answer), 503);
  EXPECT_EQ(BodyOf(answer), "the gateway is draining\n");
  EXPECT_EQ(BodyOf(Get(address_, "/healthz")), "alive\n");
  EXPECT_EQ(Metrics().at("sluice_ready"), 0);
  EXPECT_EQ(gateway_.daemon().Wait().code, 0);
}

TEST_F(OperationsHttpTest, IsOffUnlessConfiguredAndOnLoopbackAlone) {
  gateway_.Start();
  EXPECT_TRUE(gateway_.Events("http_listening").empty());
  gateway_.Stop();
  for (const char* listen : {"0.0.0.0:9464", "localhost:9464", "9464"}) {
    gateway_.Write("other.yaml", gateway_.Read("sluiced.yaml"));
    gateway_.Replace("other.yaml", "listen: \"\"  ", absl::StrCat("listen: \"", listen, "\"  "));
    const Finished check = Execute({"sluiced", "--config", gateway_.Path("other.yaml"), "--check"});
    EXPECT_EQ(check.code, 78) << listen;
    EXPECT_THAT(check.all(), HasSubstr("operations.http.listen: must be a loopback address"));
  }
}

}  // namespace
}  // namespace sluice::system_test
