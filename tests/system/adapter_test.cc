// `sluiced --adapter`: an owner's source on a machine of its own, behind a process that serves it
// to the gateway, as real processes over mutual TLS.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/base/error.h"
#include "gateway/records/row_batch.h"
#include "sluice/v1/adapter.grpc.pb.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

constexpr char kConfig[] = R"yaml(# The registers of public security, for the gateway gw1.
adapter: public-security/registers
trust_domain: gov.example
listen: LISTEN
gateways: [gw1]
tls:
  certificate: adapter/certificate.pem
  key: adapter/key.pem
  authorities:
    - {certificate: tls/authority.pem, revocation_list: tls/revocation.pem}
sources:
  residents: {kind: sqlite, file: FOLDER/sources/residents.db, limits: {connections: 2, queue: 16}}
limits: {drain_notice: 10ms}
)yaml";

constexpr char kSource[] = R"yaml(source: residents
owner: public-security
kind: remote
address: ADDRESS
adapter: public-security/registers
trust_domain: gov.example
authorities: FOLDER/tls/authority.pem
revocation_lists: FOLDER/tls/revocation.pem
certificate: FOLDER/tls/certificate.pem
key: FOLDER/tls/key.pem
remote_source: residents
breaker: {open_after: 1000, try_again: 1s}
)yaml";

class AnyServer : public grpc::experimental::ExternalCertificateVerifier {
 public:
  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest*,
              std::function<void(grpc::Status)>, grpc::Status*) override {
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}
};

class AdapterProcessTest : public testing::Test {
 protected:
  AdapterProcessTest() {
    const std::string identity = "agency/public-security/adapter/registers";
    Local({"certs", "request", identity, "--trust-domain", "gov.example", "--dir", "adapter"});
    Local({"certs", "sign", "adapter/request.pem", "--ca", "ca", "--as", identity, "--trust-domain",
           "gov.example", "-o", "adapter/certificate.pem"});
    Configure(kConfig);
  }

  void Local(std::vector<std::string> arguments) {
    const Finished finished = gateway_.Local(std::move(arguments));
    ASSERT_EQ(finished.code, 0) << finished.all();
  }
  void Configure(std::string text) {
    gateway_.Write("adapter.yaml", absl::StrReplaceAll(text, {{"LISTEN", address_},
                                                              {"FOLDER", gateway_.Path("gw")}}));
  }
  // At the same address as before, if it ran before.
  void Start() {
    process_ = std::make_unique<Process>(
        std::vector<std::string>{"sluiced", "--adapter", gateway_.Path("adapter.yaml")},
        Surroundings{});
    ASSERT_TRUE(process_->WaitForError("\"event\":\"ready\"")) << process_->Errors();
    const std::string said = process_->Errors();
    const auto line =
        nlohmann::json::parse(said.substr(said.rfind("{\"time\"", said.find("ready"))));
    address_ = line["address"];
    Configure(kConfig);
  }
  // The sample's residents, by way of the adapter.
  void Offer() {
    gateway_.Start();
    gateway_.Write(
        "sources/residents.yaml",
        absl::StrReplaceAll(kSource, {{"ADDRESS", address_}, {"FOLDER", gateway_.Path("gw")}}));
    gateway_.OfferSample();
  }
  absl::StatusOr<v1::QueryResponse> Ask() {
    return Call(gateway_.As("relief"), cli::kQuery, Deployment::PersonsQuery());
  }
  // What a caller with this certificate is told.
  grpc::Status Probe(const std::string& folder) {
    namespace tls = grpc::experimental;
    tls::TlsChannelCredentialsOptions options;
    options.set_certificate_provider(std::make_shared<tls::StaticDataCertificateProvider>(
        gateway_.Read("tls/authority.pem"),
        std::vector<tls::IdentityKeyCertPair>{
            {gateway_.Read(folder + "/key.pem"), gateway_.Read(folder + "/certificate.pem")}}));
    options.watch_root_certs();
    options.watch_identity_key_cert_pairs();
    // An adapter's certificate names no host.
    options.set_check_call_host(false);
    options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<AnyServer>());
    const auto stub =
        v1::Adapter::NewStub(grpc::CreateChannel(address_, tls::TlsCredentials(options)));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::ProbeRequest request;
    request.set_source("residents");
    v1::ProbeResponse response;
    return stub->Probe(&context, request, &response);
  }

  Deployment gateway_;
  std::string address_ = "127.0.0.1:0";
  std::unique_ptr<Process> process_;
};

TEST_F(AdapterProcessTest, AQueryReadsThroughItAndSurvivesItsDeath) {
  Start();
  Offer();
  const auto reply = Ask();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->rows(), static_cast<int64_t>(SampleIds().size()));

  process_->Signal(SIGKILL);
  process_->Wait();
  const absl::Status dead = Ask().status();
  EXPECT_EQ(ReasonOf(dead), v1::REASON_SOURCE_UNAVAILABLE) << dead;

  Start();
  EXPECT_TRUE(Eventually([&] { return Ask().ok(); })) << Ask().status();
  gateway_.Verify();
}

TEST_F(AdapterProcessTest, ASignalDrainsIt) {
  Start();
  process_->Signal(SIGTERM);
  const Finished finished = process_->Wait();
  EXPECT_EQ(finished.code, 0) << finished.all();
  EXPECT_TRUE(absl::StrContains(process_->Errors(), "\"event\":\"stopped\""));
}

TEST_F(AdapterProcessTest, ItAnswersTheGatewaysThatItNamesAndNobodyElse) {
  Start();
  EXPECT_TRUE(Probe("tls").ok()) << Probe("tls").error_message();
  EXPECT_EQ(Probe("profiles/relief").error_code(), grpc::StatusCode::UNAVAILABLE) << "a system";
  EXPECT_EQ(Probe("adapter").error_code(), grpc::StatusCode::UNAVAILABLE) << "an adapter";
  Local({"certs", "request", "gateway/gw2", "--trust-domain", "gov.example", "--dir", "gw2",
         "--dns", "localhost"});
  Local({"certs", "sign", "gw2/request.pem", "--ca", "ca", "--as", "gateway/gw2", "--trust-domain",
         "gov.example", "--dns", "localhost", "-o", "gw2/certificate.pem"});
  EXPECT_EQ(Probe("gw2").error_code(), grpc::StatusCode::UNAVAILABLE) << "another gateway";
  EXPECT_TRUE(absl::StrContains(process_->Errors(), "does not serve gateway gw2"))
      << process_->Errors();
}

TEST_F(AdapterProcessTest, CheckNamesEveryMistakeWithItsPlace) {
  const std::string file = gateway_.Path("adapter.yaml");
  EXPECT_EQ(Execute({"sluiced", "--adapter", file, "--check"}).code, 0);
  struct Case {
    std::string from, to, said;
  };
  const std::vector<Case> cases = {
      {"gateways: [gw1]", "gateways: [GW1]", "adapter.yaml:5: gateways:"},
      {"kind: sqlite", "kind: cobol", "sources.residents.kind: must be one of"},
      {"file: FOLDER", "flie: FOLDER", "setting 'flie'"},
      {"drain_notice", "drain_notcie", "limits.drain_notcie"},
      {"public-security/registers", "registers", "adapter.yaml:2: adapter:"},
      {"public-security/registers", "tax/registers", "names agency/public-security"},
      {"adapter/key.pem", "adapter/other.pem", "tls.key"}};
  for (const Case& one : cases) {
    Configure(absl::StrReplaceAll(kConfig, {{one.from, one.to}}));
    const Finished finished = Execute({"sluiced", "--adapter", file, "--check"});
    EXPECT_EQ(finished.code, 78) << one.to;
    EXPECT_TRUE(absl::StrContains(finished.errors, one.said)) << one.to << ": " << finished.all();
  }
  EXPECT_EQ(Execute({"sluiced", "--check"}).code, 64);
  EXPECT_EQ(Execute({"sluiced", "--adapter", file, "--config", file}).code, 64) << "one of them";
}

}  // namespace
}  // namespace sluice::system_test
