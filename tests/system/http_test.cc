// The listeners beside gRPC's, asked by programs that share no code with them.
#include <csignal>

#include "absl/strings/escaping.h"
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

// As init writes a listener that is off.
std::string Off(const char* comment) {
  return absl::StrCat("listen: \"\"                 ", comment);
}

class OperationsHttpTest : public testing::Test {
 protected:
  // With the listener on any port.
  void Start() {
    gateway_.Replace("sluiced.yaml", Off("# /healthz"), "listen: 127.0.0.1:0  # ");
    gateway_.Start();
    address_ = gateway_.Events("http_listening").at(0).at("address");
  }

  nlohmann::json Metrics() {
    const Finished read = Execute({"/usr/bin/python3", SLUICE_TEST_SCRIPTS "/read_metrics.py",
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
  EXPECT_TRUE(Eventually([&] {
    const nlohmann::json now = Metrics();
    return now.at("sluice_audit_log_head_timestamp_seconds") > 0 &&
           now.at("sluice_audit_log_head_records") > 0;
  })) << "a head is signed every second";
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
  EXPECT_THAT(Get(address_, "/metrics"), HasSubstr("\nsluice_ready 0\n"));
  EXPECT_EQ(gateway_.daemon().Wait().code, 0);
}

TEST_F(OperationsHttpTest, IsOffUnlessConfiguredAndOnLoopbackAlone) {
  gateway_.Start();
  EXPECT_TRUE(gateway_.Events("http_listening").empty());
  gateway_.Stop();
  for (const char* listen : {"0.0.0.0:9464", "localhost:9464", "9464"}) {
    gateway_.Write("other.yaml", gateway_.Read("sluiced.yaml"));
    gateway_.Replace("other.yaml", Off("# /healthz"), absl::StrCat("listen: \"", listen, "\"  # "));
    const Finished check = Execute({"sluiced", "--config", gateway_.Path("other.yaml"), "--check"});
    EXPECT_EQ(check.code, 78) << listen;
    EXPECT_THAT(check.all(), HasSubstr("operations.http.listen: must be a loopback address"));
  }
}

class AuditorsHttpTest : public testing::Test {
 protected:
  AuditorsHttpTest() {
    gateway_.Replace("sluiced.yaml", Off("# heads"), "listen: 127.0.0.1:0  # ");
    gateway_.Start();
    const std::string address = gateway_.Events("http_listening").at(0).at("address");
    base_ = absl::StrCat("https://", address);
  }

  nlohmann::json Python(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"/usr/bin/python3", SLUICE_TEST_SCRIPTS "/tlog_client.py"});
    const Finished ran = Execute(arguments);
    EXPECT_EQ(ran.code, 0) << ran.errors;
    return ran.code == 0 ? nlohmann::json::parse(ran.output) : nlohmann::json();
  }
  // What the party gets; "" comes without a certificate.
  nlohmann::json Get(const std::string& path, const std::string& party) {
    std::vector<std::string> arguments = {"get", base_, path, gateway_.Path("tls/authority.pem")};
    if (!party.empty()) {
      const std::string folder = gateway_.Path("profiles/" + party);
      arguments.insert(arguments.end(), {folder + "/certificate.pem", folder + "/key.pem"});
    }
    return Python(arguments);
  }
  static std::string ReasonIn(const nlohmann::json& answer) {
    return nlohmann::json::parse(answer.at("body").get<std::string>()).at("error").at("reason");
  }

  Deployment gateway_;
  std::string base_;
};

TEST_F(AuditorsHttpTest, AClientWrittenFromTheSpecificationVerifiesTheLog) {
  gateway_.OfferSample();
  ASSERT_TRUE(Call(gateway_.As("relief"), cli::kQuery, Deployment::PersonsQuery()).ok());
  // Over 256 records, so that there is a second level: each reading is one.
  const int before = static_cast<int>(gateway_.Records().size());
  for (int i = before; i < 300; ++i) gateway_.RecordAt(0);
  v1::GetStatusRequest request;
  EXPECT_TRUE(Eventually([&] {
    const auto status = Call(gateway_.As("operator"), cli::kGetStatus, request);
    return status.ok() && status->head_records() >= 300;
  }));
  std::string vkey = gateway_.Read("log.vkey");
  vkey = vkey.substr(0, vkey.find('\n'));
  const std::string folder = gateway_.Path("profiles/auditor");

  const nlohmann::json checked = Python({"check", base_, vkey, gateway_.Path("tls/authority.pem"),
                                         folder + "/certificate.pem", folder + "/key.pem"});

  ASSERT_FALSE(checked.is_null());
  EXPECT_GE(checked.at("size"), 300);
  EXPECT_EQ(checked.at("levels"), 2);
  EXPECT_EQ(checked.at("origin"), vkey.substr(0, vkey.find('+')));
  EXPECT_EQ(checked.at("entries").size(), checked.at("size"));
  // Envelopes, and nothing that a detail says.
  const std::vector<v1::Record> records = gateway_.Records(v1::RECORD_KIND_RELEASED);
  ASSERT_EQ(records.size(), 1u);
  v1::AuditEnvelope envelope;
  const std::string hex = checked.at("entries").at(static_cast<size_t>(records[0].index()));
  ASSERT_TRUE(envelope.ParseFromString(absl::HexStringToBytes(hex)));
  EXPECT_EQ(envelope.SerializeAsString(), records[0].envelope().SerializeAsString());
  // Recorded once, whatever was fetched.
  int readings = 0;
  for (const v1::Record& record : gateway_.Records(v1::RECORD_KIND_READ))
    if (gateway_.RecordAt(record.index()).detail().search_json() == "{\"tiles\":true}") ++readings;
  EXPECT_EQ(readings, 1);
}

TEST_F(AuditorsHttpTest, IsForAuditorsAlone) {
  const nlohmann::json nobody = Get("checkpoint", "");
  EXPECT_EQ(nobody.at("status"), 401);
  EXPECT_EQ(ReasonIn(nobody), "CERTIFICATE_INVALID");
  for (const char* party : {"operator", "relief", "residents-owner"}) {
    for (const char* path : {"checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1", "nothing"}) {
      const nlohmann::json refused = Get(path, party);
      EXPECT_EQ(refused.at("status"), 403) << party << path;
      EXPECT_EQ(ReasonIn(refused), "ROLE_REQUIRED");
      EXPECT_EQ(refused.at("cache"), "no-store");
    }
  }
  EXPECT_EQ(Get("checkpoint", "auditor").at("status"), 200);
  EXPECT_EQ(Get("metrics", "auditor").at("status"), 404);
  int refusals = 0;
  for (const v1::Record& record : gateway_.Records(v1::RECORD_KIND_DENIED)) {
    if (record.envelope().reason() == v1::REASON_ROLE_REQUIRED ||
        record.envelope().reason() == v1::REASON_CERTIFICATE_INVALID)
      ++refusals;
  }
  EXPECT_EQ(refusals, 13);
}

TEST_F(AuditorsHttpTest, ASuspendedAuditorReadsNoMore) {
  // Once the first head is signed.
  EXPECT_TRUE(Eventually([&] {
    const auto status = Call(gateway_.As("operator"), cli::kGetStatus, v1::GetStatusRequest());
    return status.ok() && status->head_records() >= 1;
  }));
  EXPECT_EQ(Get("tile/0/000.p/1", "auditor").at("status"), 200);
  gateway_.Done("operator", {"person", "suspend", "audit-office/auditor", "--reason", "left"});
  const nlohmann::json refused = Get("tile/0/000.p/1", "auditor");
  EXPECT_EQ(refused.at("status"), 403);
  EXPECT_EQ(ReasonIn(refused), "SUSPENDED");
}

}  // namespace
}  // namespace sluice::system_test
