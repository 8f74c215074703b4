// The kind `remote` against processes that fail, hang, lie and vanish: each is a typed error in
// time, and the next call is as good as ever.
#include "adapters/remote/remote_adapter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/remote/messages.h"
#include "adapters/remote/process_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/memory_testing.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::adapters::remote {
namespace {

class RemoteAdapterTest : public testing::Test {
 protected:
  std::unique_ptr<Adapter> Open(const Settings& more = {}) {
    auto adapter = OpenRemote(SettingsWith(more));
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return *std::move(adapter);
  }
  Settings SettingsWith(const Settings& more) const {
    Settings settings = parties_.SettingsFor(process_.address(), "cases");
    for (const auto& [name, value] : more) settings[name] = value;
    return settings;
  }
  std::unique_ptr<RecordReader> Scan(Adapter& adapter, ScanRequest request = PeopleRequest()) {
    auto reader = adapter.Scan(std::move(request), context_);
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }
  // The process answers these messages, then OK.
  void Answer(std::vector<v1::ScanResponse> messages) {
    process_.scan = [messages = std::move(messages)](grpc::ServerContext&, const v1::ScanRequest&,
                                                     ScanWriter& writer) {
      for (const v1::ScanResponse& message : messages) writer.Write(message);
      return grpc::Status::OK;
    };
  }
  // Whether it is opened at all.
  absl::Status Opened() { return OpenRemote(SettingsWith({})).status(); }

  TestParties parties_;
  TestProcess process_{parties_};
  CallContext context_;
};

TEST_F(RemoteAdapterTest, ReadsBatchesToTheirEnd) {
  Answer({Sent(People({1, 2})), v1::ScanResponse(), Sent(People({3}))});
  process_.Start();
  const auto adapter = Open();
  const auto reader = Scan(*adapter);
  const auto first = reader->Next();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)->rows(), 2);
  EXPECT_EQ(reader->version().version, "7");
  const auto second = reader->Next();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*second)->column(0).Int64(0), 3);
  for (int i = 0; i < 2; ++i) {
    const auto end = reader->Next();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_FALSE(end->has_value());
  }
}

TEST_F(RemoteAdapterTest, SaysWhichSourceIsMeant) {
  std::string asked;
  process_.scan = [&](grpc::ServerContext&, const v1::ScanRequest& request, ScanWriter&) {
    asked = request.source() + "/" + request.table();
    return grpc::Status::OK;
  };
  process_.Start();
  const auto adapter = Open();
  EXPECT_TRUE(Scan(*adapter)->Next().ok());
  EXPECT_EQ(asked, "cases/people");
}

TEST_F(RemoteAdapterTest, AStreamThatIsCutIsNoEndOfData) {
  std::atomic<bool> sent = false;
  process_.scan = [&](grpc::ServerContext& context, const v1::ScanRequest&, ScanWriter& writer) {
    writer.Write(Sent(People({1})));
    sent = true;
    WaitUntilGivenUp(context);
    return grpc::Status::CANCELLED;
  };
  process_.Start();
  const auto adapter = Open();
  const auto reader = Scan(*adapter);
  ASSERT_TRUE(reader->Next().ok());
  process_.Kill();
  const auto next = reader->Next();
  EXPECT_EQ(ReasonOf(next.status()), v1::REASON_SOURCE_UNAVAILABLE) << next.status();
  EXPECT_EQ(ReasonOf(adapter->Probe(context_)), v1::REASON_SOURCE_UNAVAILABLE);
}

TEST_F(RemoteAdapterTest, AProcessThatComesBackIsFoundAgain) {
  Answer({Sent(People({1}))});
  process_.Start();
  const auto adapter = Open();
  process_.Kill();
  EXPECT_EQ(ReasonOf(adapter->Probe(context_)), v1::REASON_SOURCE_UNAVAILABLE);
  process_.Start();
  absl::Status status = adapter->Probe(context_);
  for (int i = 0; i < 500 && !status.ok(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    status = adapter->Probe(context_);
  }
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(Scan(*adapter)->Next().ok());
}

TEST_F(RemoteAdapterTest, AGigabyteIsReadInBoundedMemory) {
  // Of the process as well, which is this one: it writes one message again and again.
  const int messages = kSanitized ? 20 : 1'000;
  records::ColumnBuilder id({records::TypeId::kInt64}), name({records::TypeId::kUtf8});
  for (int64_t i = 0; i < 100; ++i) {
    id.AppendInt64(i);
    name.AppendBytes(std::string(10'000, 'x'));
  }
  std::vector<records::Column> columns = {id.Finish(), name.Finish()};
  const v1::ScanResponse message =
      Sent(records::RecordBatch(SchemaOf(PeopleRequest()), std::move(columns), 100));
  process_.scan = [&](grpc::ServerContext&, const v1::ScanRequest&, ScanWriter& writer) {
    for (int i = 0; i < messages && writer.Write(message); ++i) {
    }
    return grpc::Status::OK;
  };
  process_.Start();
  const auto adapter = Open();
  ScanRequest request = PeopleRequest();
  request.key.clear();
  const auto reader = Scan(*adapter, request);
  int64_t rows = 0, most = 0;
  const int64_t before = ResidentBytes();
  for (;;) {
    const auto batch = reader->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (!batch->has_value()) break;
    rows += (*batch)->rows();
    most = std::max(most, ResidentBytes() - before);
  }
  EXPECT_EQ(rows, messages * int64_t{100});
  if (!kSanitized) {
    EXPECT_LT(most, 64 << 20);
  }
}

TEST_F(RemoteAdapterTest, AProcessThatHangsIsGivenUpAndTold) {
  std::atomic<bool> told = false;
  process_.scan = [&](grpc::ServerContext& context, const v1::ScanRequest&, ScanWriter&) {
    told = WaitUntilGivenUp(context);
    return grpc::Status::CANCELLED;
  };
  process_.Start();
  const auto adapter = Open({{"timeout_ms", "3000"}});
  const auto reader = Scan(*adapter);
  const auto next = reader->Next();
  EXPECT_EQ(ReasonOf(next.status()), v1::REASON_SOURCE_UNAVAILABLE) << next.status();
  EXPECT_TRUE(absl::StrContains(next.status().message(), "timeout_ms")) << next.status();
  process_.Kill();  // waits for its calls
  EXPECT_TRUE(told);
}

TEST_F(RemoteAdapterTest, MessagesThatSayNothingAreNoProgress) {
  process_.scan = [](grpc::ServerContext& context, const v1::ScanRequest&, ScanWriter& writer) {
    while (!context.IsCancelled() && writer.Write(v1::ScanResponse())) {
    }
    return grpc::Status::CANCELLED;
  };
  process_.Start();
  const auto adapter = Open({{"timeout_ms", "3000"}});
  EXPECT_EQ(ReasonOf(Scan(*adapter)->Next().status()), v1::REASON_SOURCE_UNAVAILABLE);
}

TEST_F(RemoteAdapterTest, CancelFromAnotherThreadReachesTheProcess) {
  std::atomic<bool> asked = false, told = false;
  process_.scan = [&](grpc::ServerContext& context, const v1::ScanRequest&, ScanWriter&) {
    asked = true;
    told = WaitUntilGivenUp(context);
    return grpc::Status::CANCELLED;
  };
  process_.Start();
  const auto adapter = Open();
  const auto reader = Scan(*adapter);
  std::thread cancelling([&] {
    while (!asked) std::this_thread::yield();
    reader->Cancel();
  });
  EXPECT_EQ(ReasonOf(reader->Next().status()), v1::REASON_CANCELLED);
  cancelling.join();
  process_.Kill();
  EXPECT_TRUE(told);
}

TEST_F(RemoteAdapterTest, TheDeadlineReachesTheProcess) {
  std::atomic<bool> told = false;
  process_.scan = [&](grpc::ServerContext& context, const v1::ScanRequest&, ScanWriter&) {
    told = context.deadline() < std::chrono::system_clock::now() + std::chrono::seconds(5);
    WaitUntilGivenUp(context);
    return grpc::Status::CANCELLED;
  };
  process_.Start();
  const auto adapter = Open();
  const auto clock = MakeSystemClock();
  context_.clock = clock.get();
  context_.deadline = clock->Monotonic() + 300 * kMillisecond;
  EXPECT_EQ(ReasonOf(Scan(*adapter)->Next().status()), v1::REASON_DEADLINE_EXCEEDED);
  process_.Kill();
  EXPECT_TRUE(told);
}

// A process of which each scan gives one row and then waits for the next one to be taken.
class IdleTest : public RemoteAdapterTest {
 protected:
  // What it serves with is gone before the process is.
  ~IdleTest() override { process_.Kill(); }
  IdleTest() {
    process_.scan = [this](grpc::ServerContext& context, const v1::ScanRequest& request,
                           ScanWriter& writer) {
      ++scans_;
      int64_t id = 1;
      if (request.has_after()) id = request.after().values(0).int64_value() + 1;
      if (id > 3) return grpc::Status::OK;
      v1::ScanResponse message = Sent(People({id}));
      message.set_snapshot(snapshot_);
      message.mutable_version()->set_version(version_);
      writer.Write(message);
      if (WaitUntilGivenUp(context)) ++given_up_;
      return grpc::Status::CANCELLED;
    };
    process_.Start();
  }
  void WaitUntilLetGo(int times) {
    for (int i = 0; i < 2'000 && given_up_ < times; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_EQ(given_up_, times);
  }

  std::atomic<int> scans_ = 0, given_up_ = 0;
  std::atomic<bool> snapshot_ = false;
  std::string version_ = "7";
};

TEST_F(IdleTest, AScanWithAKeyIsLetGoAndGoesOnBehindItsLastRow) {
  const auto adapter = Open({{"idle_ms", "50"}});
  const auto reader = Scan(*adapter);
  for (int64_t id = 1; id <= 3; ++id) {
    const auto batch = reader->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    EXPECT_EQ((*batch)->column(0).Int64(0), id);
    WaitUntilLetGo(static_cast<int>(id));
  }
  const auto end = reader->Next();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_FALSE(end->has_value());
  EXPECT_EQ(scans_, 4);
}

TEST_F(IdleTest, ASnapshotThatChangedMeanwhileDoesNotGoOn) {
  snapshot_ = true;
  const auto adapter = Open({{"idle_ms", "50"}});
  const auto reader = Scan(*adapter);
  ASSERT_TRUE(reader->Next().ok());
  EXPECT_TRUE(reader->snapshot());
  WaitUntilLetGo(1);
  version_ = "8";
  EXPECT_EQ(ReasonOf(reader->Next().status()), v1::REASON_SOURCE_CHANGED);
}

TEST_F(IdleTest, AScanWithoutAKeyIsHeld) {
  const auto adapter = Open({{"idle_ms", "20"}});
  ScanRequest unordered = PeopleRequest();
  unordered.key.clear();
  const auto held = Scan(*adapter, unordered);
  const auto let_go = Scan(*adapter);
  ASSERT_TRUE(held->Next().ok());
  ASSERT_TRUE(let_go->Next().ok());
  WaitUntilLetGo(1);
  EXPECT_EQ(given_up_, 1) << "the other one waits on";
  held->Cancel();
  WaitUntilLetGo(2);
}

TEST_F(RemoteAdapterTest, MessagesOfOver16MiBAreRefused) {
  v1::ScanResponse message;
  message.set_arrow(std::string(17 << 20, 'x'));
  Answer({message});
  process_.Start();
  const auto adapter = Open();
  EXPECT_EQ(ReasonOf(Scan(*adapter)->Next().status()), v1::REASON_SOURCE_UNAVAILABLE);
}

TEST_F(RemoteAdapterTest, CompressedMessagesAreRefusedBeforeTheyAreInflated) {
  process_.scan = [](grpc::ServerContext& context, const v1::ScanRequest&, ScanWriter& writer) {
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    v1::ScanResponse message;
    message.set_arrow(std::string(8 << 20, 'x'));
    writer.Write(message);
    return grpc::Status::OK;
  };
  process_.Start();
  const auto adapter = Open();
  const auto next = Scan(*adapter)->Next();
  EXPECT_EQ(ReasonOf(next.status()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(OperatorNoteOf(next.status()), "is compressed"))
      << OperatorNoteOf(next.status());
}

TEST_F(RemoteAdapterTest, AMessageThatIsNoneIsNoEndOfData) {
  v1::ScanResponse message;
  message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(
      v1::ScanResponse::kVersionFieldNumber, "\xff\xff");
  Answer({message});
  process_.Start();
  const auto adapter = Open();
  const auto next = Scan(*adapter)->Next();
  EXPECT_EQ(ReasonOf(next.status()), v1::REASON_SOURCE_UNAVAILABLE) << next.status();
}

TEST_F(RemoteAdapterTest, WhatTheProcessSaysIsAReasonAndANoteForTheOperator) {
  struct Case {
    grpc::StatusCode code;
    v1::Reason reason;
  };
  const std::vector<Case> cases = {
      {grpc::StatusCode::UNAVAILABLE, v1::REASON_SOURCE_UNAVAILABLE},
      {grpc::StatusCode::NOT_FOUND, v1::REASON_SCHEMA_DRIFT},
      {grpc::StatusCode::FAILED_PRECONDITION, v1::REASON_SCHEMA_DRIFT},
      {grpc::StatusCode::DATA_LOSS, v1::REASON_SOURCE_BAD_VALUE},
      {grpc::StatusCode::ABORTED, v1::REASON_SOURCE_CHANGED},
      {grpc::StatusCode::UNKNOWN, v1::REASON_SOURCE_UNAVAILABLE},
      {grpc::StatusCode::INTERNAL, v1::REASON_SOURCE_UNAVAILABLE},
      {grpc::StatusCode::CANCELLED, v1::REASON_SOURCE_UNAVAILABLE},
      {grpc::StatusCode::PERMISSION_DENIED, v1::REASON_SOURCE_UNAVAILABLE},
      {grpc::StatusCode::UNIMPLEMENTED, v1::REASON_SOURCE_UNAVAILABLE}};
  std::atomic<int> code = 0;
  process_.scan = [&code](grpc::ServerContext&, const v1::ScanRequest&, ScanWriter&) {
    return grpc::Status(static_cast<grpc::StatusCode>(code.load()), "secret\nof the source");
  };
  process_.Start();
  const auto adapter = Open();
  for (const Case& one : cases) {
    code = one.code;
    const absl::Status status = Scan(*adapter)->Next().status();
    EXPECT_EQ(ReasonOf(status), one.reason) << one.code;
    EXPECT_FALSE(absl::StrContains(status.message(), "secret")) << status;
    EXPECT_EQ(OperatorNoteOf(status), "adapter: secret of the source");
  }
}

TEST_F(RemoteAdapterTest, ABadValueIsToldByItsRowOfTheWholeScan) {
  std::atomic<int> given_up = 0;
  process_.scan = [&](grpc::ServerContext& context, const v1::ScanRequest& request,
                      ScanWriter& writer) {
    if (!request.has_after()) {
      writer.Write(Sent(People({1, 2})));
      if (WaitUntilGivenUp(context)) ++given_up;
      return grpc::Status::CANCELLED;
    }
    google::rpc::ErrorInfo info;
    info.set_reason("SOURCE_BAD_VALUE");
    info.set_domain("sluice");
    (*info.mutable_metadata())["row"] = "3";
    (*info.mutable_metadata())["field"] = "name";
    google::rpc::Status details;
    details.add_details()->PackFrom(info);
    return grpc::Status(grpc::StatusCode::INTERNAL, "", details.SerializeAsString());
  };
  process_.Start();
  const auto adapter = Open({{"idle_ms", "20"}});
  const auto reader = Scan(*adapter);
  ASSERT_TRUE(reader->Next().ok());
  for (int i = 0; i < 2'000 && given_up == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const absl::Status status = reader->Next().status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE) << status;
  EXPECT_EQ(ErrorInfoOf(status)->metadata().at("row"), "5") << "two were read before";
  EXPECT_EQ(ErrorInfoOf(status)->metadata().at("field"), "name");
  EXPECT_TRUE(absl::StrContains(status.message(), "column 'NAME'")) << status;
}

TEST_F(RemoteAdapterTest, NobodyElseIsTakenForTheAdapter) {
  const std::vector<std::string> others = {
      "spiffe://gov.example/agency/tax/adapter/cobol",
      "spiffe://gov.example/agency/civil-affairs/adapter/other",
      "spiffe://gov.example/agency/civil-affairs/system/cobol",
      "spiffe://gov.example/gateway/gw1",
      "spiffe://other.example/agency/civil-affairs/adapter/cobol",
      "https://gov.example/agency/civil-affairs/adapter/cobol"};
  for (const std::string& other : others) {
    TestProcess process(parties_);
    process.uri = other;
    process.Start();
    const absl::Status status = OpenRemote(parties_.SettingsFor(process.address(), "s")).status();
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << other;
    EXPECT_TRUE(absl::StrContains(status.message(), "does not prove")) << other << ": " << status;
  }
}

TEST_F(RemoteAdapterTest, AnAuthorityThatIsNotConfiguredIsNone) {
  const auto stranger = certs::TestAuthority::Root("adapters", MakeSystemClock()->Now());
  process_.signed_by = &stranger;
  process_.Start();
  EXPECT_EQ(ReasonOf(Opened()), v1::REASON_SOURCE_UNAVAILABLE);
}

TEST_F(RemoteAdapterTest, ARevokedAdapterIsRefusedAtTheNextConnection) {
  process_.Start();
  EXPECT_TRUE(Opened().ok());
  parties_.Write("lists.pem", parties_.authority().ListPem({process_.leaf().certificate.serial()}));
  EXPECT_EQ(ReasonOf(Opened()), v1::REASON_SOURCE_UNAVAILABLE);
}

TEST_F(RemoteAdapterTest, AProcessWithoutACertificateIsNoAdapter) {
  process_.in_the_clear = true;
  process_.Start();
  EXPECT_EQ(ReasonOf(Opened()), v1::REASON_SOURCE_UNAVAILABLE);
}

TEST_F(RemoteAdapterTest, OurOwnCertificateHasToBeAGateways) {
  process_.Start();
  parties_.UseAsGateway(parties_.Issue("spiffe://gov.example/agency/civil-affairs/system/relief"));
  EXPECT_EQ(ReasonOf(Opened()), v1::REASON_DEFINITION_INVALID);
}

TEST_F(RemoteAdapterTest, DescribesWhatTheProcessDescribes) {
  TableDescription people;
  people.table = "people";
  people.columns = {{"ID", {records::TypeId::kInt64}, false, "NUMBER(10)"}};
  people.unique_keys = {{"ID"}};
  *process_.described.add_tables() = ToProto(people);
  process_.Start();
  const auto adapter = Open();
  const auto described = adapter->Describe("people", context_);
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ((*described)[0].columns[0].source_type, "NUMBER(10)");
  EXPECT_EQ(ReasonOf(adapter->Describe("animals", context_).status()),
            v1::REASON_SOURCE_UNAVAILABLE)
      << "another table than asked for";
}

TEST(RemoteSettingsTest, EveryMistakeIsNamedAtOnce) {
  const absl::Status status = CheckRemoteSettings({{"address", "nowhere"},
                                                   {"adapter", "cobol"},
                                                   {"trust_domain", "Gov"},
                                                   {"timeout_ms", "0"},
                                                   {"colour", "red"}});
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  for (const char* name :
       {"address", "adapter", "trust_domain", "timeout_ms", "colour", "authorities",
        "revocation_lists", "certificate", "key", "remote_source"})
    EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("'", name, "'"))) << name;
}

TEST(RemoteSettingsTest, WhatIsCompletePasses) {
  TestParties parties;
  Settings settings = parties.SettingsFor("[::1]:9443", "cases");
  settings["timeout_ms"] = "5000";
  settings["idle_ms"] = "2000";
  EXPECT_TRUE(CheckRemoteSettings(settings).ok()) << CheckRemoteSettings(settings);
}

}  // namespace
}  // namespace sluice::adapters::remote
