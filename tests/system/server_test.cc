// The holes of Debian's gRPC, seen from outside: each closed or bounded. And how the daemon ends.
#include <arpa/inet.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "certs/authority_testing.h"
#include "gateway/base/error.h"
#include "tests/system/raw_client.h"

namespace sluice::system_test {
namespace {

constexpr char kQueryPath[] = "/sluice.v1.Exchange/Query";

// Kilobytes of memory that the process holds.
int64_t ResidentKib(pid_t pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stoll(line.substr(6));
  }
  return 0;
}

// Idle TCP connections, all that this many attempts give.
class IdleConnections {
 public:
  IdleConnections(const std::string& port, int count) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < count; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (fd < 0) break;
      fds_.push_back(fd);
      connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    }
  }
  // How many of them the other side has ended.
  int closed() const {
    int count = 0;
    for (const int fd : fds_) {
      char byte;
      if (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0) ++count;
    }
    return count;
  }
  ~IdleConnections() {
    for (int fd : fds_) close(fd);
  }

 private:
  std::vector<int> fds_;
};

// gRPC's listener stops accepting for good once accept fails for want of descriptors, and the
// process looks healthy (CVE-2023-4785). It is noticed, and the supervisor gets the process back.
TEST(ServerTest, AListenerKilledByTooManyConnectionsEndsTheProcess) {
#ifdef SLUICE_SANITIZED
  GTEST_SKIP() << "without descriptors the sanitizer takes sound objects for broken ones";
#endif
  Deployment gateway;
  gateway.Replace("sluiced.yaml", "connections: 4096", "connections: 20");
  Surroundings few;
  few.file_limit = 540;
  gateway.Start(few);
  IdleConnections idle(gateway.port(), 700);
  const Finished ended = gateway.daemon().Wait(60);
  EXPECT_EQ(ended.code, 75);
  EXPECT_NE(ended.errors.find("listener_lost"), std::string::npos) << ended.errors;
}

TEST(ServerTest, FewerDescriptorsThanConnectionsNeedRefuseTheStart) {
  Deployment gateway;
  Surroundings few;
  few.folder = gateway.Path("gw");
  few.file_limit = 540;
  const Finished check =
      Execute({"sluiced", "--config", gateway.Path("sluiced.yaml"), "--check"}, few);
  EXPECT_EQ(check.code, 78);
  EXPECT_NE(check.errors.find("limits.connections"), std::string::npos) << check.errors;
  EXPECT_NE(check.errors.find("ulimit"), std::string::npos) << check.errors;
}

// 64 MiB of zeros that compress to 64 KiB.
TEST(ServerTest, ACompressedBombIsRefusedBeforeItIsInflated) {
  Deployment gateway;
  gateway.Start();
  RawClient client(gateway.address(), gateway.Read("tls/authority.pem"),
                   IdentityOf(gateway, "relief"));
  v1::WhoAmIResponse who;
  ASSERT_TRUE(client.Call("/sluice.v1.Registry/WhoAmI", v1::WhoAmIRequest(), who).ok());
  v1::QueryRequest request = Deployment::PersonsQuery();
  request.set_filter(std::string(64 << 20, '\0'));
  [[maybe_unused]] const int64_t before = ResidentKib(gateway.daemon().pid());
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    v1::QueryResponse reply;
    const absl::Status refused =
        client.Call(kQueryPath, request, reply, [algorithm](grpc::ClientContext& context) {
          context.set_compression_algorithm(algorithm);
        });
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnimplemented) << refused;
  }
#ifndef SLUICE_SANITIZED  // which keeps what was freed
  EXPECT_LT(ResidentKib(gateway.daemon().pid()) - before, 16 << 10);
#endif
}

TEST(ServerTest, AnOversizedRequestOrHeaderIsRefused) {
  Deployment gateway;
  gateway.Start();
  RawClient client(gateway.address(), gateway.Read("tls/authority.pem"),
                   IdentityOf(gateway, "relief"));
  v1::QueryRequest request = Deployment::PersonsQuery();
  request.set_filter(std::string(2 << 20, 'x'));
  v1::QueryResponse reply;
  EXPECT_EQ(client.Call(kQueryPath, request, reply).code(), absl::StatusCode::kResourceExhausted);
  const absl::Status refused = client.Call(
      kQueryPath, Deployment::PersonsQuery(), reply,
      [](grpc::ClientContext& context) { context.AddMetadata("x", std::string(32 << 10, 'x')); });
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
}

// After an idle second gRPC's callback threads sleep 100 ms at a time, which the next call would
// pay: 50 ms in the mean. Nearly all are quicker where they are kept awake.
TEST(ServerTest, TheFirstCallAfterAQuietSecondDoesNotWait) {
  Deployment gateway;
  gateway.Start();
  cli::Gateway& relief = gateway.As("relief");
  ASSERT_TRUE(Call(relief, cli::kWhoAmI, {}).ok());
  std::vector<int64_t> milliseconds;
  for (int i = 0; i < 7; ++i) {
    Nap(1150);
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(Call(relief, cli::kWhoAmI, {}).ok());
    milliseconds.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::steady_clock::now() - begin)
                               .count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  EXPECT_LT(milliseconds[2], 30);
}

// ... without letting anybody in: what keeps them awake is no principal, and calls nothing of ours.
TEST(ServerTest, TheCallsThatKeepItAwakeAreNobodys) {
  Deployment gateway;
  gateway.Start();
  Nap(1000);
  EXPECT_TRUE(gateway.Records(v1::RECORD_KIND_DENIED).empty());
  std::string peers;
  for (const v1::Record& record : gateway.Records()) peers += record.envelope().actor().principal();
  EXPECT_EQ(peers.find("health"), std::string::npos);
}

TEST(ServerTest, AHalfWrittenPairIsNotTakenAndAWholeOneIs) {
  Deployment gateway;
  gateway.Start();
  const auto serial = [&] {
    const OpensslOutcome seen = Openssl(gateway, IdentityOf(gateway, "relief"), {"-showcerts"});
    EXPECT_TRUE(seen.served) << seen.said;
    const size_t begin = seen.said.find("-----BEGIN CERTIFICATE-----");
    const auto leaf = certs::Certificate::FromPem(
        std::string_view(seen.said).substr(
            begin, seen.said.find("-----END CERTIFICATE-----") + 25 - begin),
        "seen");
    return leaf.ok() ? leaf->serial() : leaf.status().ToString();
  };
  const std::string first = serial();
  // The renewed certificate alone: its key is not there yet.
  const Finished request = gateway.Local({"certs", "request", "gateway/gw1", "--trust-domain",
                                          "gov.example", "--ip", "127.0.0.1", "--dir", "renewed"});
  ASSERT_EQ(request.code, 0) << request.all();
  const Finished signing = gateway.Local({"certs", "sign", "renewed/request.pem", "--ca", "ca",
                                          "--as", "gateway/gw1", "--trust-domain", "gov.example",
                                          "--ip", "127.0.0.1", "-o", "renewed/certificate.pem"});
  ASSERT_EQ(signing.code, 0) << signing.all();
  gateway.Write("tls/certificate.pem", gateway.Read("renewed/certificate.pem"));
  EXPECT_TRUE(gateway.daemon().WaitForError("\"event\":\"pair_refused\""));
  EXPECT_EQ(serial(), first);
  gateway.Write("tls/key.pem", gateway.Read("renewed/key.pem"));
  EXPECT_TRUE(gateway.daemon().WaitForError("\"event\":\"pair_swapped\""));
  EXPECT_TRUE(Eventually([&] { return serial() != first; }));
  // The swap is a record.
  const auto changes = gateway.Records(v1::RECORD_KIND_CHANGED);
  EXPECT_EQ(changes.back().envelope().resource_kind(), "gateway_certificate");
  EXPECT_EQ(gateway.Stop().code, 0);
}

// A source that never ends by itself: a view that counts for hours.
constexpr char kEndless[] =
    "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
    "20000000000) SELECT CAST(max(i) AS TEXT) AS id_no, 'x' AS full_name, '1990-01-01' AS born, "
    "'99' AS province, 'y' AS county, NULL AS address, NULL AS phone FROM n;";

TEST(ServerTest, AShutdownWithACallThatNeverEndsEndsInItsTime) {
  Deployment gateway;
  gateway.Replace("sluiced.yaml", "drain: 20s", "drain: 1s");
  gateway.Start();
  gateway.OfferSample();
  ASSERT_EQ(Execute({"sqlite3", gateway.Path("sources/residents.db"), kEndless}).code, 0);
  gateway.Replace("sources/residents.yaml", "statement: 10s", "statement: 10m");
  gateway.Done("operator", {"source", "apply", "sources/residents.yaml"});
  gateway.Replace("datasets/persons.yaml", "table: resident", "table: endless");
  gateway.Done("residents-owner", {"catalogue", "apply", "datasets/persons.yaml"});
  Process query({"sluice", "--profile", "profiles/relief.yaml", "--timeout", "2m", "query",
                 "public-security/persons", "--purpose", "relief", "--case", "R-1"},
                {.folder = gateway.Path("gw")});
  ASSERT_TRUE(Eventually([&] {
    const auto status = Call(gateway.As("operator"), cli::kGetStatus, {});
    return status.ok() && status->running_exchanges() == 1;
  })) << query.Errors();
  const Finished stopped = gateway.Stop();
  EXPECT_EQ(stopped.code, 0) << stopped.errors;
  const Finished refused = query.Wait();
  EXPECT_NE(refused.code, 0);
  EXPECT_EQ(refused.output, "");
  // Drained in order: a clean STOPPED closes the log, which verifies.
  EXPECT_NE(gateway.Verify().find("verified"), std::string::npos);
  gateway.Start();
  const auto starts = gateway.Records(v1::RECORD_KIND_STARTED);
  EXPECT_TRUE(starts.back().envelope().run().clean());
  const auto failed = gateway.Records(v1::RECORD_KIND_FAILED);
  ASSERT_EQ(failed.size(), 1u);
}

TEST(ServerTest, TwoGatewaysCannotShareOneDeployment) {
  Deployment gateway;
  gateway.Start();
  const Finished second = Execute({"sluiced", "--config", gateway.Path("sluiced.yaml")});
  EXPECT_NE(second.code, 0);
  EXPECT_NE(second.errors.find("START_REFUSED"), std::string::npos) << second.errors;
  EXPECT_TRUE(Call(gateway.As("relief"), cli::kWhoAmI, {}).ok());
}

TEST(ServerTest, APortInUseRefusesTheStartByName) {
  Deployment first, second;
  first.Start();
  second.Replace("sluiced.yaml", "listen: \"127.0.0.1:0\"",
                 absl::StrCat("listen: \"", first.address(), "\""));
  const Finished refused = Execute({"sluiced", "--config", second.Path("sluiced.yaml")});
  EXPECT_EQ(refused.code, 78);
  EXPECT_NE(refused.errors.find(first.address()), std::string::npos) << refused.errors;
}

// What is wrong with a deployment, and the words that name it.
struct Mistake {
  std::string name;
  std::function<void(const Deployment&)> make;
  int code;
  std::vector<std::string> named;
};

std::vector<Mistake> Mistakes() {
  const auto replaced = [](const char* file, const char* from, const char* to) {
    return [=](const Deployment& gateway) { gateway.Replace(file, from, to); };
  };
  const auto removed = [](const char* file) {
    return [=](const Deployment& gateway) { std::filesystem::remove(gateway.Path(file)); };
  };
  const auto written = [](const char* file, const char* text) {
    return [=](const Deployment& gateway) { gateway.Write(file, text); };
  };
  const auto opened = [](const char* file) {
    return [=](const Deployment& gateway) { chmod(gateway.Path(file).c_str(), 0644); };
  };
  return {
      {"UnknownSetting",
       replaced("sluiced.yaml", "segment: 64MiB", "segments: 64MiB"),
       78,
       {"sluiced.yaml", "audit.segments"}},
      {"NoYaml", written("sluiced.yaml", "a: [1, 2"), 78, {"sluiced.yaml"}},
      {"WrongType",
       replaced("sluiced.yaml", "max_page_rows: 1000", "max_page_rows: many"),
       78,
       {"sluiced.yaml", "limits.max_page_rows"}},
      {"OutOfBounds", replaced("sluiced.yaml", "drain: 20s", "drain: 20d"), 78, {"limits.drain"}},
      {"MissingSetting",
       replaced("sluiced.yaml", "trust_domain:", "# trust_domain:"),
       78,
       {"trust_domain"}},
      {"MissingKey", removed("tls/key.pem"), 78, {"tls.key", "tls/key.pem"}},
      {"MissingCertificate", removed("tls/certificate.pem"), 78, {"tls.certificate"}},
      {"MissingAuthority", removed("tls/authority.pem"), 78, {"authorities[0].certificate"}},
      {"MissingList", removed("tls/revocation.pem"), 78, {"authorities[0].revocation_list"}},
      {"MissingLogKey", removed("log.key"), 78, {"audit.signing_key", "log.key"}},
      {"MissingSubjectKey", removed("keys/subjects.key"), 78, {"audit.subject_key"}},
      {"OpenKey", opened("tls/key.pem"), 78, {"tls.key", "chmod 600"}},
      {"OpenLogKey", opened("log.key"), 78, {"audit.signing_key", "chmod 600"}},
      {"AnothersKey",
       [](const Deployment& gateway) {
         gateway.Write("tls/key.pem", gateway.Read("profiles/relief/key.pem"));
       },
       78,
       {"tls/key.pem"}},
      {"AnothersCertificate",
       [](const Deployment& gateway) {
         gateway.Write("tls/certificate.pem", gateway.Read("profiles/relief/certificate.pem"));
         gateway.Write("tls/key.pem", gateway.Read("profiles/relief/key.pem"));
       },
       78,
       {"tls/certificate.pem"}},
      {"EmptyKey", written("tls/key.pem", ""), 78, {"tls/key.pem"}},
      {"EmptyLogKey", written("log.key", ""), 78, {"log.key"}},
      {"ShortSubjectKey", written("keys/subjects.key", "short"), 78, {"subjects.key"}},
      {"AnothersList",
       [](const Deployment& gateway) {
         gateway.Write("tls/revocation.pem",
                       certs::TestAuthority::Root("Another", MakeSystemClock()->Now()).ListPem());
       },
       78,
       {"tls/authority.pem"}},
      {"AnotherOrigin",
       replaced("sluiced.yaml", "origin: ", "origin: another."),
       78,
       {"log.key", "audit.origin"}},
      {"SeedMistake",
       replaced("seed.yaml", "roles: [operator]", "roles: [king]"),
       78,
       {"seed.yaml:10", "persons[1].roles[0]", "operator"}},
      {"StoreIsNoDatabase",
       [](const Deployment& gateway) {
         std::filesystem::create_directories(gateway.Path("state"));
         gateway.Write("state/control.db", std::string(8192, 'x'));
       },
       78,
       {"control.db"}},
      {"NoSuchHost",
       replaced("sluiced.yaml", "listen: \"127.0.0.1:0\"", "listen: \"192.0.2.7:1\""),
       78,
       {"192.0.2.7:1"}},
  };
}

TEST(ServerTest, EveryMistakeRefusesTheStartByNameAndPlace) {
  for (const Mistake& mistake : Mistakes()) {
    Deployment gateway;
    mistake.make(gateway);
    const Finished refused = Execute({"sluiced", "--config", gateway.Path("sluiced.yaml")});
    EXPECT_EQ(refused.code, mistake.code) << mistake.name << "\n" << refused.errors;
    for (const std::string& word : mistake.named)
      EXPECT_NE(refused.errors.find(word), std::string::npos)
          << mistake.name << " names no " << word << "\n"
          << refused.errors;
  }
}

TEST(ServerTest, UsageMistakesAreUsageMistakes) {
  EXPECT_EQ(Execute({"sluiced"}).code, 64);
  EXPECT_EQ(Execute({"sluiced", "--config", "x", "--what"}).code, 64);
  const Finished absent = Execute({"sluiced", "--config", "/nowhere/sluiced.yaml", "--check"});
  EXPECT_EQ(absent.code, 78);
  EXPECT_NE(absent.errors.find("/nowhere/sluiced.yaml"), std::string::npos) << absent.errors;
}

// A copy from before the last records, and a log of another gateway's, in the log's place.
TEST(ServerTest, AnOlderCopyOfTheLogIsRefused) {
  Deployment gateway;
  gateway.Start();
  ASSERT_EQ(gateway.Stop().code, 0);
  std::filesystem::copy(gateway.Path("audit"), gateway.Path("older"),
                        std::filesystem::copy_options::recursive);
  gateway.Start();
  gateway.OfferSample();
  ASSERT_EQ(gateway.Stop().code, 0);
  std::filesystem::rename(gateway.Path("audit"), gateway.Path("newest"));
  std::filesystem::copy(gateway.Path("older"), gateway.Path("audit"),
                        std::filesystem::copy_options::recursive);
  const Finished refused = Execute({"sluiced", "--config", gateway.Path("sluiced.yaml")});
  EXPECT_EQ(refused.code, 65) << refused.errors;
  // Nothing was appended to it.
  const Finished verified = gateway.Local({"audit", "verify", "audit", "--key", "log.vkey"});
  EXPECT_EQ(verified.code, 0) << verified.all();
  std::filesystem::remove_all(gateway.Path("audit"));
  std::filesystem::rename(gateway.Path("newest"), gateway.Path("audit"));
  gateway.Start();
  EXPECT_EQ(gateway.Stop().code, 0);
}

// Heads kept elsewhere are asked; where none answers, it takes the operator's word, recorded.
TEST(ServerTest, HeadsElsewhereAreAskedAtStart) {
  Deployment gateway;
  gateway.Start();
  gateway.OfferSample();
  ASSERT_EQ(gateway.Stop().code, 0);
  std::filesystem::copy(gateway.Path("state/kept-head"), gateway.Path("elsewhere"));
  gateway.Replace("sluiced.yaml", "heads_at: []", "heads_at: [elsewhere]");
  gateway.Start();
  ASSERT_EQ(gateway.Stop().code, 0);
  std::filesystem::remove(gateway.Path("elsewhere"));
  const Finished refused = Execute({"sluiced", "--config", gateway.Path("sluiced.yaml")});
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.errors.find("heads_at"), std::string::npos) << refused.errors;
  gateway.Replace("sluiced.yaml", "start_without_heads: false", "start_without_heads: true");
  gateway.Start();
  EXPECT_TRUE(gateway.Records(v1::RECORD_KIND_STARTED).back().envelope().run().heads_unconfirmed());
}

TEST(ServerTest, AHandshakeThatNeverEndsIsEnded) {
  Deployment gateway;
  gateway.Replace("sluiced.yaml", "handshake: 10s", "handshake: 1s");
  gateway.Start();
  IdleConnections idle(gateway.port(), 3);
  EXPECT_TRUE(Eventually([&] { return idle.closed() == 3; }, 20'000));
}

// A running gateway told to read a bad configuration keeps the old one and says so (promise 9).
TEST(ServerTest, ABadReloadKeepsTheOldConfiguration) {
  Deployment gateway;
  gateway.Start();
  const std::string good = gateway.Read("sluiced.yaml");
  gateway.Replace("sluiced.yaml", "drain: 20s", "drain: soon");
  gateway.daemon().Signal(SIGHUP);
  EXPECT_TRUE(gateway.daemon().WaitForError("\"event\":\"reload_refused\""));
  const auto refused = Call(gateway.As("operator"), cli::kReload, {});
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_DEFINITION_INVALID) << refused.status();
  EXPECT_NE(BadRequestOf(refused.status())->DebugString().find("limits.drain"), std::string::npos);
  EXPECT_TRUE(Call(gateway.As("relief"), cli::kWhoAmI, {}).ok());
  gateway.Write("sluiced.yaml", good);
  EXPECT_TRUE(Call(gateway.As("operator"), cli::kReload, {}).ok());
  EXPECT_EQ(gateway.Stop().code, 0);
}

}  // namespace
}  // namespace sluice::system_test
