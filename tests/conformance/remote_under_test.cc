#include "tests/conformance/remote_under_test.h"

#include <unistd.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "adapters/registry.h"
#include "adapters/remote/messages.h"
#include "adapters/remote/parties_testing.h"
#include "certs/pair.h"
#include "gateway/rpc/adapter_service.h"
#include "gateway/rpc/server.h"
#include "sluice/v1/adapter.grpc.pb.h"

namespace sluice::adapters::conformance {
namespace {

// An adapter process in all but that it is this one.
class AdapterServer {
 public:
  AdapterServer()
      : files_(MakePosixFileSystem()),
        clock_(MakeSystemClock()),
        operations_(STDERR_FILENO, *clock_),
        sources_(*clock_, exchange::OpenByKind(Kinds())) {
    const certs::TestLeaf leaf = parties_.Issue(remote::kTestAdapter);
    EXPECT_TRUE(certs::StagePair(*files_, parties_.Path("pair"), leaf.certificate_pem, leaf.key_pem,
                                 {.trust_domain = remote::kTestDomain}, clock_->Now())
                    .ok());
    auto verifier = certs::FileVerifier::Open(
        {remote::kTestDomain, {{parties_.Path("authority.pem"), parties_.Path("lists.pem")}}},
        *files_, *clock_);
    EXPECT_TRUE(verifier.ok()) << verifier.status();
    verifier_ = *std::move(verifier);
    callers_ = std::make_unique<rpc::AdapterCallers>(
        *verifier_, std::set<std::string>{remote::kTestGateway}, *clock_, operations_);
    service_ = rpc::MakeAdapterService({*callers_, sources_, operations_, *clock_});
    rpc::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.pair_folder = parties_.Path("pair");
    options.authorities_file = parties_.Path("authority.pem");
    options.ready_service = v1::Adapter::service_full_name();
    options.limits.send_bytes = remote::kMostMessageBytes;
    auto server = rpc::Server::Start(options, callers_.get(), {service_.get()}, [] {});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  // The settings of a source of kind `remote` that lies behind this server.
  Settings Serve(const AdapterUnderTest::Source& source) {
    v1::Source definition;
    definition.set_id(absl::StrCat("case-", definitions_.size()));
    definition.set_kind(source.kind);
    for (const auto& [name, value] : source.settings)
      (*definition.mutable_settings())[name] = value;
    // Some cases break a source for good; others follow on the same server.
    definition.mutable_limits()->set_breaker_failures(1'000);
    definitions_[definition.id()] = definition;
    sources_.Update(definitions_);
    return parties_.SettingsFor(server_->address(), definition.id());
  }

 private:
  remote::TestParties parties_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<Clock> clock_;
  OperationalLog operations_;
  exchange::Sources sources_;
  std::map<std::string, v1::Source, std::less<>> definitions_;
  std::unique_ptr<certs::FileVerifier> verifier_;
  std::unique_ptr<rpc::AdapterCallers> callers_;
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<rpc::Server> server_;
};

AdapterServer& SharedServer() {
  static auto* const server = new AdapterServer();
  return *server;
}

class RemoteUnderTest : public AdapterUnderTest {
 public:
  explicit RemoteUnderTest(std::unique_ptr<AdapterUnderTest> behind) : behind_(std::move(behind)) {}

  void Make(const TableData& table) override { behind_->Make(table); }
  void SpoilValue(const TableData& table, int field, int64_t row) override {
    behind_->SpoilValue(table, field, row);
  }
  void Break() override { behind_->Break(); }
  Source AsSource() const override { return {"remote", SharedServer().Serve(behind_->AsSource())}; }
  std::unique_ptr<Adapter> Open() override {
    auto adapter = FindKind("remote")->open(AsSource().settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return *std::move(adapter);
  }

 private:
  const std::unique_ptr<AdapterUnderTest> behind_;
};

}  // namespace

KindUnderTest RemoteKind(std::string name, KindUnderTest behind) {
  KindUnderTest kind = behind;
  kind.name = std::move(name);
  kind.make = [make = behind.make] { return std::make_unique<RemoteUnderTest>(make()); };
  return kind;
}

}  // namespace sluice::adapters::conformance
