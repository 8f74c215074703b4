// A witness as a process, asked by a log and a client that share no code with it.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/audit/signing_key.h"
#include "gateway/base/crypto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"
#include "tests/system/witness_testing.h"

namespace sluice::system_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kSeed[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

class WitnessSystemTest : public testing::Test {
 protected:
  WitnessSystemTest() : log_(testing::TempDir() + "/witnessed.vkey") {
    const auto key = audit::MakeSigningKey("gw1.gov.example/log", *HexDecode(kSeed));
    FILE* const file = fopen(log_.c_str(), "w");
    fprintf(file, "%s\n", audit::FormatVerifierKey(key->verifier).c_str());
    fclose(file);
    witness_ =
        std::make_unique<WitnessProcess>("w1.gov.example/archive", std::vector<std::string>{log_});
  }

  nlohmann::json Client(std::vector<std::string> arguments, const std::string& scheme = "http") {
    std::vector<std::string> command = {
        "/usr/bin/python3", SLUICE_TEST_SCRIPTS "/witness_client.py",
        arguments[0],       absl::StrCat(scheme, "://", witness_->address()),
        witness_->vkey(),   kSeed};
    command.insert(command.end(), arguments.begin() + 1, arguments.end());
    const Finished ran = Execute(command);
    EXPECT_EQ(ran.code, 0) << ran.errors;
    return ran.code == 0 ? nlohmann::json::parse(ran.output) : nlohmann::json();
  }

  const std::string log_;
  std::unique_ptr<WitnessProcess> witness_;
};

TEST_F(WitnessSystemTest, InitMakesAKeyForItsOwnerAloneAndSaysItsFormForPaper) {
  struct stat info {};
  ASSERT_EQ(stat(witness_->Path("witness.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto key = audit::ParseVerifierKey(witness_->vkey());
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->type, audit::KeyType::kCosignatureV1);
  EXPECT_EQ(key->name, "w1.gov.example/archive");
  EXPECT_THAT(witness_->told(), HasSubstr(audit::PaperForm(*key)));
  EXPECT_THAT(witness_->told(), HasSubstr(witness_->vkey()));
  // Nothing is ever written over.
  const Finished again = Execute({"sluice", "witness", "init", witness_->Path(""), "--name", "w1"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.errors, HasSubstr("NOT_EMPTY"));
  const auto check = [&] {
    return Execute(
        {"sluice", "witness", "serve", "--config", witness_->Path("witness.yaml"), "--check"});
  };
  EXPECT_EQ(check().code, 0) << check().errors;
  chmod(witness_->Path("witness.key").c_str(), 0644);
  EXPECT_EQ(check().code, 1);
  EXPECT_THAT(check().errors, HasSubstr("chmod 600"));
}

TEST_F(WitnessSystemTest, AClientWrittenFromTheSpecificationIsAnsweredAsItSays) {
  witness_->Start();
  const nlohmann::json ran = Client({"run"});
  EXPECT_EQ(ran.at("cosigned"), nlohmann::json({5, 5, 8, 9, 300, 301}));
  EXPECT_EQ(witness_->Events("witness_split_view").size(), 1u);
  const auto inconsistent = witness_->Events("witness_inconsistent");
  ASSERT_FALSE(inconsistent.empty());
  EXPECT_EQ(inconsistent[0].at("severity"), "error");
  int kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(witness_->Path("state/evidence")))
    kept += entry.file_size() > 100 ? 1 : 0;
  EXPECT_GE(kept, 4);
  EXPECT_EQ(witness_->Stop().code, 0);
}

// Killed at any moment, it holds at least what it answered, and cosigns no other history.
TEST_F(WitnessSystemTest, AKilledWitnessCosignsNoOtherHistory) {
  witness_->Start();
  int64_t last = 0;
  for (int round = 0; round < 8; ++round) {
    Process growing({"/usr/bin/python3", SLUICE_TEST_SCRIPTS "/witness_client.py", "grow",
                     absl::StrCat("http://", witness_->address()), witness_->vkey(), kSeed,
                     absl::StrCat(last), "100000"},
                    {});
    const std::string head =
        absl::StrCat("state/", HexEncode(AsBytes(Sha256("gw1.gov.example/log"))));
    const std::string before = witness_->Read(head);
    ASSERT_TRUE(Eventually([&] { return witness_->Read(head) != before; }));
    Nap(3 * round);  // another moment of its work each time
    witness_->Kill();
    const Finished grown = growing.Wait();
    ASSERT_EQ(grown.code, 0) << grown.errors;
    const int64_t answered = nlohmann::json::parse(grown.output).at("last");
    EXPECT_GE(answered, last);
    witness_->Start();
    const nlohmann::json forked = Client({"fork"});
    ASSERT_GE(forked.at("held"), answered);
    for (const int status : forked.at("answers")) EXPECT_NE(status, 200);
    last = forked.at("held");
  }
  EXPECT_GT(last, 8);
}

// With certificates: the witness's own, and a gateway's asked for.
TEST_F(WitnessSystemTest, TakesHeadsOfTheGatewaysThatItNamesAlone) {
  Deployment gateway;
  const auto sign = [&](const std::string& name, const std::string& folder,
                        std::vector<std::string> more) {
    std::filesystem::create_directories(folder);
    std::vector<std::string> request = {"certs",       "request", name,  "--trust-domain",
                                        "gov.example", "--dir",   folder};
    request.insert(request.end(), more.begin(), more.end());
    const Finished requested = gateway.Local(request);
    EXPECT_EQ(requested.code, 0) << requested.all();
    std::vector<std::string> signing = {"certs",
                                        "sign",
                                        folder + "/request.pem",
                                        "--ca",
                                        "ca",
                                        "--as",
                                        name,
                                        "--trust-domain",
                                        "gov.example",
                                        "-o",
                                        folder + "/certificate.pem"};
    signing.insert(signing.end(), more.begin(), more.end());
    const Finished signed_it = gateway.Local(signing);
    EXPECT_EQ(signed_it.code, 0) << signed_it.all();
  };
  sign("witness/archive", witness_->Path("tls"), {"--ip", "127.0.0.1"});
  sign("gateway/gw2", gateway.Path("gw2"), {"--dns", "gw2.gov.example"});
  const std::string authority = gateway.Path("tls/authority.pem");
  std::string own = gateway.Read("sluiced.yaml");
  own = own.substr(own.find("gateway: ") + 9);
  own = own.substr(0, own.find_first_of(" \n"));
  witness_->Write(
      "witness.yaml",
      absl::StrCat(witness_->Read("witness.yaml"), "\ntls:\n  trust_domain: gov.example\n",
                   "  witness: archive\n  certificate: tls/certificate.pem\n  key: tls/key.pem\n",
                   "  clients:\n    gateways: [", own,
                   "]\n    authorities:\n      - {certificate: ", authority,
                   ", revocation_list: ", gateway.Path("tls/revocation.pem"), "}\n"));
  witness_->Start();
  const auto files = [&](const std::string& folder) {
    return std::vector<std::string>{"refused", authority, gateway.Path(folder + "/certificate.pem"),
                                    gateway.Path(folder + "/key.pem")};
  };
  // No certificate, a system's, another gateway's. What was cosigned anybody may see.
  EXPECT_EQ(Client({"refused", authority}, "https").at("status"), 401);
  EXPECT_EQ(Client(files("profiles/relief"), "https").at("status"), 401);
  EXPECT_EQ(Client(files("gw2"), "https").at("status"), 401);
  EXPECT_EQ(Client({"refused", authority}, "https").at("newest"), 404);
  std::vector<std::string> run = files("tls");
  run[0] = "run";
  EXPECT_EQ(Client(run, "https").at("cosigned").size(), 6u);
  EXPECT_EQ(Client({"refused", authority}, "https").at("newest"), 200);
  EXPECT_EQ(witness_->Events("caller_refused").size(), 5u);
}

TEST_F(WitnessSystemTest, MistakesRefuseTheStartByNameAndPlace) {
  const std::string good = witness_->Read("witness.yaml");
  const struct {
    const char *from, *to, *told;
  } cases[] = {
      {"127.0.0.1:0", "0.0.0.0:0", "listen: must be a loopback address"},
      {"127.0.0.1:0", "localhost:0", "listen: must be an IP address"},
      {"witness.key ", "nothing.key ", "nothing.key"},
      {"gw1.gov.example/log+", "gw2.gov.example/log+", "is no log's verifier key"},
      {"state: state", "stat: state", "stat: unknown key"},
  };
  for (const auto& one : cases) {
    witness_->Write("witness.yaml", absl::StrReplaceAll(good, {{one.from, one.to}}));
    const Finished refused =
        Execute({"sluice", "witness", "serve", "--config", witness_->Path("witness.yaml")});
    EXPECT_EQ(refused.code, 1) << one.to;
    EXPECT_THAT(refused.errors, HasSubstr(one.told));
  }
}

}  // namespace
}  // namespace sluice::system_test
