// Readings that prove themselves: what an export and a copy hold, and when.
#include "gateway/exchange/log_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/exchange/exchange_testing.h"
#include "gateway/exchange/log_reading.h"

namespace sluice::exchange {
namespace {

using ::testing::ElementsAre;

constexpr auto kExportPatience = std::chrono::seconds(30);

// Takes each message; or none but the first, once it is told to hold.
class ExportReader : public TailWriter {
 public:
  void Write(const google::protobuf::Message& message, std::function<void(bool)> taken) override {
    {
      MutexLock lock(mutex_);
      messages_.push_back(message.SerializeAsString());
      changed_.NotifyAll();
      if (holding_) {
        held_ = std::move(taken);
        return;
      }
    }
    taken(true);
  }
  void Finish(absl::Status status) override {
    MutexLock lock(mutex_);
    EXPECT_FALSE(end_.has_value());
    end_ = std::move(status);
    changed_.NotifyAll();
  }
  void Abort() override {
    std::function<void(bool)> taken;
    {
      MutexLock lock(mutex_);
      taken = std::exchange(held_, nullptr);
    }
    if (taken) taken(false);
  }
  void Hold() {
    MutexLock lock(mutex_);
    holding_ = true;
  }
  size_t AwaitMessage() {
    MutexLock lock(mutex_);
    while (messages_.empty() && !end_)
      if (!changed_.WaitFor(mutex_, kExportPatience)) break;
    return messages_.size();
  }
  absl::Status AwaitEnd() {
    MutexLock lock(mutex_);
    while (!end_)
      if (!changed_.WaitFor(mutex_, kExportPatience)) return absl::InternalError("it did not end");
    return *end_;
  }
  template <class Response>
  Response Whole() {
    MutexLock lock(mutex_);
    Response whole;
    for (const std::string& bytes : messages_) EXPECT_TRUE(whole.MergeFromString(bytes));
    return whole;
  }
  size_t messages() {
    MutexLock lock(mutex_);
    return messages_.size();
  }

 private:
  Mutex mutex_;
  Condition changed_;
  std::vector<std::string> messages_ SLUICE_GUARDED_BY(mutex_);
  std::function<void(bool)> held_ SLUICE_GUARDED_BY(mutex_);
  bool holding_ SLUICE_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ SLUICE_GUARDED_BY(mutex_);
};

class LogExportTest : public ::testing::Test {
 protected:
  LogExportTest() {
    exchange_.ps.SetRows(Persons(2));
    exchange_.tr.SetRows(Vehicles(2));
    auto index = audit::SearchIndex::Open(
        folder_.path(), {*exchange_.keys, std::string(32, 'k'), [](const absl::Status&) {}});
    EXPECT_TRUE(index.ok()) << index.status();
    index_ = *std::move(index);
    tail_ = std::make_unique<LogTail>(Parts(), LogTailLimits{.stall = 30 * kSecond});
    reading_ = std::make_unique<LogReading>(Parts(), *tail_, "log.vkey");
    exchange_.directory.agencies["audit-office"].set_state(v1::REGISTRATION_STATE_ACTIVE);
    v1::Person& person = exchange_.directory.persons["audit-office/li-na"];
    person.set_name("li-na");
    person.set_state(v1::REGISTRATION_STATE_ACTIVE);
    person.add_roles(v1::ROLE_AUDITOR);
    exchange_.Publish();
    auditor_ = exchange_.CallByPerson("audit-office", {v1::ROLE_AUDITOR});
  }
  ~LogExportTest() override {
    exchange_.log->PassAll();
    tail_->Close();
  }

  LogReadingParts Parts() const {
    return {*exchange_.log,       *index_,           *exchange_.keys,     *exchange_.sealer,
            exchange_.pseudonyms, *exchange_.tokens, exchange_.snapshots, exchange_.clock};
  }
  int64_t Ask(const v1::QueryRequest& request) {
    const auto reply = exchange_.Query(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->receipt().index() : -1;
  }
  // Heads are signed at most once a second of the clock, which otherwise stands.
  void WhileTimePasses(const std::function<void()>& work) {
    std::atomic<bool> done = false;
    std::thread passing([&] {
      while (!done) {
        exchange_.clock.Advance(kSecond);
        std::this_thread::yield();
      }
    });
    work();
    done = true;
    passing.join();
  }
  void LetAHeadBeSigned() {
    WhileTimePasses([this] { EXPECT_TRUE(exchange_.log->Head(true).ok()); });
  }
  void Begin(const std::shared_ptr<ExportReader>& reader, const v1::ExportRequest& request) {
    WhileTimePasses(
        [&] { reading_->Export(LogTail::MakeFollower(auditor_, reader), auditor_, request); });
  }
  v1::ExportResponse Export(const v1::ExportRequest& request) {
    auto reader = std::make_shared<ExportReader>();
    Begin(reader, request);
    EXPECT_TRUE(reader->AwaitEnd().ok()) << reader->AwaitEnd();
    return reader->Whole<v1::ExportResponse>();
  }
  static std::vector<int64_t> IndicesOf(const v1::ExportResponse& response) {
    std::vector<int64_t> indices;
    for (const v1::ProvenRecord& record : response.records()) indices.push_back(record.index());
    return indices;
  }
  // That the record is under the export's head.
  static void ExpectProved(const v1::ProvenRecord& record, const v1::ExportStart& start) {
    const auto note = audit::ParseNote(start.checkpoint());
    ASSERT_TRUE(note.ok());
    const auto head = audit::ParseCheckpointBody(note->text);
    ASSERT_TRUE(head.ok());
    std::vector<Hash> path;
    for (const std::string& hash : record.path()) path.push_back(HashFromBytes(hash));
    EXPECT_TRUE(audit::CheckInclusion(static_cast<uint64_t>(record.index()), head->size,
                                      audit::LeafHash(record.envelope()), path, head->root)
                    .ok())
        << record.index();
  }

  Exchange exchange_;
  audit::TestFolder folder_;
  std::unique_ptr<audit::SearchIndex> index_;
  std::unique_ptr<LogTail> tail_;
  std::unique_ptr<LogReading> reading_;
  Call auditor_;
};

TEST_F(LogExportTest, EachRecordIsProvedUnderOneHeadAndItsDetailByItsCommitment) {
  Ask(PersonsRequest());
  const int64_t first = Ask(VehiclesRequest());
  const int64_t second = Ask(VehiclesRequest());
  v1::ExportRequest request;
  request.mutable_filter()->set_dataset(VehiclesRequest().dataset());

  const v1::ExportResponse got = Export(request);

  EXPECT_THAT(IndicesOf(got), ElementsAre(first, second));
  EXPECT_EQ(got.start().count(), 2);
  EXPECT_EQ(got.start().verifier_key(), "log.vkey");
  EXPECT_EQ(got.start().asked().dataset(), VehiclesRequest().dataset());
  for (const v1::ProvenRecord& record : got.records()) {
    ExpectProved(record, got.start());
    v1::AuditEnvelope envelope;
    ASSERT_TRUE(envelope.ParseFromString(record.envelope()));
    EXPECT_EQ(AsBytes(Sha256(record.opened_detail())), envelope.detail_commitment());
    v1::AuditDetail detail;
    ASSERT_TRUE(detail.ParseFromString(record.opened_detail().substr(32)));
    EXPECT_EQ(detail.method(), "Exchange.Query");
  }
}

TEST_F(LogExportTest, IsRecordedOnceBeforeItsFirstMessageWithWhatItShowed) {
  Ask(VehiclesRequest());
  Ask(VehiclesRequest());
  v1::ExportRequest request;
  request.mutable_filter()->set_purpose("relief");
  const v1::ExportResponse got = Export(request);

  const auto readings = exchange_.Records(v1::RECORD_KIND_READ);
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].envelope.count(), 2);
  EXPECT_EQ(readings[0].envelope.read_to(), got.start().searched_to());
  EXPECT_THAT(readings[0].detail.search_json(), testing::HasSubstr("\"purpose\":\"relief\""));
  // It is proved like what it showed.
  EXPECT_EQ(got.start().reading().index(), 2);
  ExpectProved(got.start().reading(), got.start());
  v1::AuditEnvelope own;
  ASSERT_TRUE(own.ParseFromString(got.start().reading().envelope()));
  EXPECT_EQ(own.kind(), v1::RECORD_KIND_READ);
}

TEST_F(LogExportTest, WhatCannotBeRecordedIsNotExported) {
  Ask(VehiclesRequest());
  LetAHeadBeSigned();
  exchange_.files->Inject(
      {.at = exchange_.files->Operations().size(), .kind = Fault::Kind::kCrash});
  v1::ExportRequest nothing;  // whose records would have to be read
  nothing.mutable_filter()->set_kind(v1::RECORD_KIND_STOPPED);
  auto reader = std::make_shared<ExportReader>();
  reading_->Export(LogTail::MakeFollower(auditor_, reader), auditor_, nothing);
  EXPECT_EQ(ReasonOf(reader->AwaitEnd()), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_EQ(reader->messages(), 0u);
}

TEST_F(LogExportTest, DetailsStayBehindWhereTheyAreNotAskedFor) {
  const int64_t index = Ask(VehiclesRequest());
  v1::ExportRequest request;
  request.mutable_filter()->set_kind(v1::RECORD_KIND_RELEASED);
  request.set_without_details(true);
  const v1::ExportResponse without = Export(request);
  EXPECT_THAT(IndicesOf(without), ElementsAre(index));
  EXPECT_TRUE(without.records(0).opened_detail().empty());
  EXPECT_TRUE(without.start().reading().opened_detail().empty());

  request.set_without_details(false);
  EXPECT_FALSE(Export(request).records(0).opened_detail().empty());
}

TEST_F(LogExportTest, ALongOneComesInPiecesAndHoldsNothingForASlowReader) {
  for (int i = 0; i < 450; ++i) Ask(VehiclesRequest());
  auto reader = std::make_shared<ExportReader>();
  reader->Hold();
  Begin(reader, {});
  EXPECT_EQ(reader->AwaitMessage(), 1u);
  // Whoever takes nothing is cut off.
  exchange_.clock.Advance(31 * kSecond);
  EXPECT_EQ(ReasonOf(reader->AwaitEnd()), v1::REASON_DEADLINE_EXCEEDED);
  EXPECT_EQ(reader->messages(), 1u);

  auto quick = std::make_shared<ExportReader>();
  Begin(quick, {});
  EXPECT_TRUE(quick->AwaitEnd().ok());
  EXPECT_GE(quick->messages(), 3u);
  EXPECT_EQ(quick->Whole<v1::ExportResponse>().records_size(), 451);
}

TEST_F(LogExportTest, ACopyIsTheEntriesUpToItsHeadAndProvesThatItContinues) {
  for (int i = 0; i < 5; ++i) Ask(VehiclesRequest());
  LetAHeadBeSigned();
  const auto old = HeadOver(Parts(), 5);
  ASSERT_TRUE(old.ok()) << old.status();
  for (int i = 0; i < 3; ++i) Ask(VehiclesRequest());
  LetAHeadBeSigned();
  ASSERT_TRUE(HeadOver(Parts(), 8).ok());

  auto reader = std::make_shared<ExportReader>();
  v1::CopyEntriesRequest request;
  request.set_from(3);
  request.set_old_size(static_cast<int64_t>(old->checkpoint.size));
  reading_->CopyEntries(LogTail::MakeFollower(auditor_, reader), auditor_, request);
  EXPECT_TRUE(reader->AwaitEnd().ok());
  const auto got = reader->Whole<v1::CopyEntriesResponse>();

  const auto note = audit::ParseNote(got.checkpoint());
  ASSERT_TRUE(note.ok());
  const auto head = audit::ParseCheckpointBody(note->text);
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(got.entries_size(), static_cast<int>(head->size) - 3);
  EXPECT_EQ(got.entries(0), exchange_.log->ReadOne(3)->record.envelope);
  std::vector<Hash> path;
  for (const std::string& hash : got.consistency()) path.push_back(HashFromBytes(hash));
  EXPECT_TRUE(audit::CheckConsistency(old->checkpoint.size, head->size, old->checkpoint.root,
                                      head->root, path)
                  .ok());
  const auto readings = exchange_.Records(v1::RECORD_KIND_READ);
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].envelope.read_from(), 3);
  EXPECT_EQ(readings[0].envelope.count(), got.entries_size());
}

}  // namespace
}  // namespace sluice::exchange
