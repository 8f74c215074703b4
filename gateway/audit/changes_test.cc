#include "gateway/audit/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "gateway/audit/outbox.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {
namespace {

using store::SqlValue;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Effect = Changes::Effect;

// Keeps records; told how to behave.
class MemoryLog : public Log {
 public:
  enum class Mood { kFine, kFails, kKeepsButFails };

  void Append(SealedRecord record, AppendCallback callback) override {
    absl::StatusOr<v1::Receipt> answer = Error(v1::REASON_AUDIT_UNAVAILABLE, "poisoned");
    {
      MutexLock lock(mutex_);
      steps.push_back("append");
      if (full_for > 0) {
        --full_for;
        answer = Error(v1::REASON_OVERLOADED, "full");
      } else if (mood != Mood::kFails) {
        records_.push_back(std::move(record));
        if (mood == Mood::kFine) {
          v1::Receipt receipt;
          receipt.set_index(static_cast<int64_t>(records_.size()) - 1);
          answer = receipt;
        }
      }
    }
    callback(std::move(answer));
  }
  uint64_t size() const override {
    MutexLock lock(mutex_);
    return records_.size();
  }
  bool poisoned() const override { return false; }
  void OnPoison(std::function<void(const absl::Status&)>) override {}
  absl::StatusOr<std::string> Head(bool) override { return ""; }
  absl::Status Read(uint64_t begin, const std::function<bool(const Entry&)>& each) override {
    MutexLock lock(mutex_);
    reads.push_back(begin);
    for (uint64_t i = begin; i < records_.size(); ++i)
      if (!each({i, records_[i]})) break;
    return absl::OkStatus();
  }
  absl::StatusOr<Entry> ReadOne(uint64_t index) override {
    MutexLock lock(mutex_);
    return Entry{index, records_.at(index)};
  }
  absl::StatusOr<TlogProof> Prove(uint64_t) override { return absl::UnimplementedError(""); }
  absl::StatusOr<std::vector<Hash>> Subtrees(uint64_t, int, size_t) override {
    return absl::UnimplementedError("");
  }
  absl::Status Close() override { return absl::OkStatus(); }

  void AddForeign(int count) {
    MutexLock lock(mutex_);
    for (int i = 0; i < count; ++i)
      records_.push_back({NewDraft(v1::RECORD_KIND_READ).envelope.SerializeAsString(), ""});
  }
  void Forget() {
    MutexLock lock(mutex_);
    records_.clear();
  }

  // Set between changes only.
  Mood mood = Mood::kFine;
  int full_for = 0;
  std::vector<uint64_t> reads;
  std::vector<std::string> steps;

 private:
  mutable Mutex mutex_;
  std::vector<SealedRecord> records_;
};

class ChangesTest : public ::testing::Test {
 protected:
  ChangesTest() {
    std::string pattern = ::testing::TempDir() + "/changes-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    keys_ = *DetailKeys::Open("/keys", files_, *random_);
    sealer_ = std::make_unique<RecordSealer>(*keys_, clock_, *random_);
    Start();
  }
  ~ChangesTest() override {
    changes_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  // As a new process would: the store and the log stay.
  void Start() {
    changes_.reset();
    store_.reset();
    auto store = store::Store::Open(
        folder_ + "/control.db",
        {OutboxMigrations(),
         {"test", {"CREATE TABLE things (name TEXT PRIMARY KEY, version INTEGER) STRICT"}}});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    changes_ = MakeChanges(*store_, log_, *sealer_, [this] {
      log_.steps.push_back("publish");
      return publish_result_;
    });
  }

  static Changes::Mutation Add(const std::string& name, ChangeOutcome outcome = {}) {
    return [=](store::Transaction& transaction) -> absl::StatusOr<ChangeOutcome> {
      SLUICE_RETURN_IF_ERROR(
          transaction.Execute("INSERT INTO things VALUES (?1, 1)", {SqlValue(name)}));
      ChangeOutcome result = outcome;
      result.resource_kind = "thing";
      result.resource_name = name;
      return result;
    };
  }
  absl::Status Submit(Changes::Mutation mutation, Effect effect = Effect::kAfterRecord,
                      const ChangeActor& actor = {}) {
    Mutex mutex;
    Condition arrived;
    std::optional<absl::Status> result;
    changes_->Submit(actor, effect, std::move(mutation), [&](absl::Status status) {
      MutexLock lock(mutex);
      result = std::move(status);
      arrived.NotifyAll();
    });
    MutexLock lock(mutex);
    while (!result) arrived.Wait(mutex);
    return *result;
  }
  v1::AuditEnvelope Envelope(uint64_t index) {
    v1::AuditEnvelope envelope;
    EXPECT_TRUE(envelope.ParseFromString(log_.ReadOne(index)->record.envelope));
    return envelope;
  }
  int64_t Number(const std::string& sql) {
    int64_t number = -1;
    EXPECT_TRUE(store_
                    ->Read([&](store::Reader& reader) -> absl::Status {
                      SLUICE_ASSIGN_OR_RETURN(const auto rows, reader.Query(sql));
                      number = rows.at(0).Int(0);
                      return absl::OkStatus();
                    })
                    .ok());
    return number;
  }

  std::string folder_;
  FakeFileSystem files_;
  FakeClock clock_;
  std::unique_ptr<RandomSource> random_ = MakeSystemRandom();
  std::unique_ptr<DetailKeys> keys_;
  std::unique_ptr<RecordSealer> sealer_;
  MemoryLog log_;
  absl::Status publish_result_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Changes> changes_;
};

TEST_F(ChangesTest, ARecordSaysWhoChangedWhat) {
  ChangeActor actor;
  actor.actor.set_principal("agency/ministry/person/li");
  actor.actor.set_agency("ministry");
  actor.call_id = "call-1";
  actor.peer = "ipv4:192.0.2.7:1";
  actor.method = "Sharing.ApplyGrant";
  actor.certificate_serial = "0a";
  const auto mutation = [](store::Transaction&) -> absl::StatusOr<ChangeOutcome> {
    return ChangeOutcome{.resource_kind = "grant",
                         .resource_name = "7q4m2k",
                         .action = "update",
                         .resource_revision = 3,
                         .dataset = "police/persons",
                         .owner_agency = "police",
                         .before_json = "{\"a\":1}",
                         .after_json = "{\"a\":2}",
                         .reason = "by request"};
  };
  ASSERT_TRUE(Submit(mutation, Effect::kAfterRecord, actor).ok());

  const v1::AuditEnvelope envelope = Envelope(0);
  EXPECT_EQ(envelope.kind(), v1::RECORD_KIND_CHANGED);
  EXPECT_EQ(envelope.actor().principal(), "agency/ministry/person/li");
  EXPECT_EQ(envelope.resource_kind(), "grant");
  EXPECT_EQ(envelope.grant(), "7q4m2k");
  EXPECT_EQ(envelope.grant_revision(), 3);
  EXPECT_EQ(envelope.dataset(), "police/persons");
  EXPECT_EQ(envelope.owner_agency(), "police");
  EXPECT_EQ(envelope.action(), "update");
  EXPECT_EQ(envelope.change_id(), 1);
  EXPECT_EQ(envelope.first_page(), -1);
  const auto detail = OpenDetail(log_.ReadOne(0)->record, *keys_);
  ASSERT_TRUE(detail.ok()) << detail.status();
  EXPECT_EQ(detail->call_id(), "call-1");
  EXPECT_EQ(detail->peer(), "ipv4:192.0.2.7:1");
  EXPECT_EQ(detail->method(), "Sharing.ApplyGrant");
  EXPECT_EQ(detail->certificate_serial(), "0a");
  EXPECT_EQ(detail->before_json(), "{\"a\":1}");
  EXPECT_EQ(detail->after_json(), "{\"a\":2}");
  EXPECT_EQ(detail->change_reason(), "by request");
}

TEST_F(ChangesTest, TakesEffectAfterItsRecordAndRevocationBeforeIt) {
  ASSERT_TRUE(Submit(Add("a")).ok());
  EXPECT_THAT(log_.steps, ElementsAre("append", "publish"));
  log_.steps.clear();
  ASSERT_TRUE(Submit(Add("b"), Effect::kAtCommit).ok());
  EXPECT_THAT(log_.steps, ElementsAre("publish", "append"));
}

TEST_F(ChangesTest, WhatOneTransactionChangedIsARecordEachBeforeItIsInEffect) {
  ChangeOutcome grant;
  grant.resource_kind = "grant";
  grant.resource_name = "7q4m2k";
  ChangeOutcome other = grant;
  other.resource_name = "abc234";
  ASSERT_TRUE(Submit(Add("a", {.also = {grant, other}})).ok());
  EXPECT_THAT(log_.steps, ElementsAre("append", "append", "append", "publish"));
  EXPECT_EQ(Envelope(0).resource_name(), "a");
  EXPECT_EQ(Envelope(1).resource_name(), "7q4m2k");
  EXPECT_EQ(Envelope(1).grant(), "7q4m2k");
  EXPECT_EQ(Envelope(2).change_id(), 3);
  EXPECT_EQ(Number("SELECT count(*) FROM outbox WHERE log_index IS NULL"), 0);
}

TEST_F(ChangesTest, OfSeveralRecordsThoseThatACrashLeftOutAreMadeUp) {
  ChangeOutcome grant;
  grant.resource_kind = "grant";
  grant.resource_name = "7q4m2k";
  // The first gets there, and nobody hears of it.
  log_.mood = MemoryLog::Mood::kKeepsButFails;
  EXPECT_FALSE(Submit(Add("a", {.also = {grant}})).ok());
  ASSERT_EQ(log_.size(), 1u);
  log_.mood = MemoryLog::Mood::kFine;
  Start();
  ASSERT_TRUE(changes_->Recover().ok());
  ASSERT_EQ(log_.size(), 2u);
  EXPECT_EQ(Envelope(1).resource_name(), "7q4m2k");
}

TEST_F(ChangesTest, WhatFailsOrChangesNothingLeavesNoTrace) {
  const auto failing = [](store::Transaction& transaction) -> absl::StatusOr<ChangeOutcome> {
    SLUICE_RETURN_IF_ERROR(transaction.Execute("INSERT INTO things VALUES ('x', 1)"));
    return Error(v1::REASON_STILL_IN_USE, "no");
  };
  EXPECT_EQ(ReasonOf(Submit(failing)), v1::REASON_STILL_IN_USE);
  EXPECT_TRUE(Submit(Add("y", {.unchanged = true})).ok());
  EXPECT_EQ(Number("SELECT count(*) FROM things"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM outbox"), 0);
  EXPECT_TRUE(log_.steps.empty());
  EXPECT_TRUE(Submit(Add("z")).ok());
}

TEST_F(ChangesTest, WithoutItsRecordAChangeIsNotInEffectAndNoneFollows) {
  log_.mood = MemoryLog::Mood::kFails;
  EXPECT_EQ(ReasonOf(Submit(Add("a"))), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_THAT(log_.steps, ElementsAre("append"));  // nothing published
  log_.mood = MemoryLog::Mood::kFine;
  EXPECT_EQ(ReasonOf(Submit(Add("b"))), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_EQ(Number("SELECT count(*) FROM things"), 1);

  log_.AddForeign(3);
  Start();
  ASSERT_TRUE(changes_->Recover().ok());
  ASSERT_EQ(log_.size(), 4u);
  EXPECT_EQ(Envelope(3).change_id(), 1);
  EXPECT_EQ(Envelope(3).resource_name(), "a");
  Start();
  ASSERT_TRUE(changes_->Recover().ok());
  EXPECT_EQ(log_.size(), 4u);
}

TEST_F(ChangesTest, ARecordThatGotThereBeforeTheCrashIsNotWrittenTwice) {
  log_.AddForeign(2);
  log_.mood = MemoryLog::Mood::kKeepsButFails;
  EXPECT_FALSE(Submit(Add("a")).ok());
  ASSERT_EQ(log_.size(), 3u);
  log_.mood = MemoryLog::Mood::kFine;
  Start();
  ASSERT_TRUE(changes_->Recover().ok());
  EXPECT_EQ(log_.size(), 3u);
  EXPECT_THAT(log_.reads, ElementsAre(2));  // searched from where it can be, not from the start
  EXPECT_EQ(Number("SELECT log_index FROM outbox WHERE change_id = 1"), 2);
}

TEST_F(ChangesTest, RecoveryThatFailsIsMadeUpLater) {
  log_.mood = MemoryLog::Mood::kFails;
  EXPECT_FALSE(Submit(Add("a")).ok());
  Start();
  EXPECT_EQ(ReasonOf(changes_->Recover()), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(Submit(Add("b"))), v1::REASON_AUDIT_UNAVAILABLE);
  log_.mood = MemoryLog::Mood::kFine;
  Start();
  EXPECT_TRUE(changes_->Recover().ok());
  EXPECT_EQ(log_.size(), 1u);
}

TEST_F(ChangesTest, ALogThatLostRecordsIsRefused) {
  ASSERT_TRUE(Submit(Add("a")).ok());
  log_.Forget();
  Start();
  const absl::Status status = changes_->Recover();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("older copy"));
}

TEST_F(ChangesTest, ALogThatLostRecordsIsKnownBeforeAnythingIsAppended) {
  ASSERT_TRUE(Submit(Add("a")).ok());
  EXPECT_TRUE(CheckLogIsWhole(*store_, log_).ok());
  log_.Forget();
  EXPECT_EQ(CheckLogIsWhole(*store_, log_).code(), absl::StatusCode::kDataLoss);
}

TEST_F(ChangesTest, ChangeIdsAreNeverUsedTwice) {
  ASSERT_TRUE(Submit(Add("a")).ok());
  ASSERT_TRUE(
      store_->Write([](store::Transaction& t) { return t.Execute("DELETE FROM outbox"); }).ok());
  Start();
  ASSERT_TRUE(Submit(Add("b")).ok());
  EXPECT_EQ(Envelope(1).change_id(), 2);
}

TEST_F(ChangesTest, AFullLogIsWaitedFor) {
  log_.full_for = 3;
  EXPECT_TRUE(Submit(Add("a")).ok());
  EXPECT_THAT(log_.steps, ElementsAre("append", "append", "append", "append", "publish"));
}

TEST_F(ChangesTest, AChangeTooLargeForItsRecordIsUndone) {
  ChangeOutcome large;
  large.after_json = std::string(2 << 20, 'x');
  EXPECT_EQ(ReasonOf(Submit(Add("a", large))), v1::REASON_RESULT_TOO_LARGE);
  EXPECT_EQ(Number("SELECT count(*) FROM things"), 0);
  EXPECT_TRUE(Submit(Add("b")).ok());
}

TEST_F(ChangesTest, TheDraftIsErasedOnceTheLogHasTheRecord) {
  ASSERT_TRUE(Submit(Add("a", {.reason = "named in confidence"})).ok());
  EXPECT_EQ(Number("SELECT count(*) FROM outbox WHERE envelope IS NULL AND detail IS NULL"), 1);
}

TEST_F(ChangesTest, WhatCannotBePutInEffectIsSaidAndNothingFollows) {
  publish_result_ = absl::InternalError("no snapshot");
  EXPECT_EQ(ReasonOf(Submit(Add("a"))), v1::REASON_INTERNAL);
  publish_result_ = absl::OkStatus();
  EXPECT_EQ(ReasonOf(Submit(Add("b"))), v1::REASON_INTERNAL);
  EXPECT_EQ(log_.size(), 1u);
}

TEST_F(ChangesTest, OfWritersWhoReadTheSameVersionOneWins) {
  ASSERT_TRUE(Submit(Add("a")).ok());
  std::atomic<int> won{0}, lost{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const absl::Status status =
          Submit([](store::Transaction& transaction) -> absl::StatusOr<ChangeOutcome> {
            SLUICE_ASSIGN_OR_RETURN(const auto rows,
                                    transaction.Query("SELECT version FROM things"));
            if (rows.at(0).Int(0) != 1) return Error(v1::REASON_ETAG_MISMATCH, "faster");
            SLUICE_RETURN_IF_ERROR(transaction.Execute("UPDATE things SET version = 2"));
            return ChangeOutcome();
          });
      if (status.ok()) ++won;
      if (ReasonOf(status) == v1::REASON_ETAG_MISMATCH) ++lost;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
  EXPECT_EQ(log_.size(), 2u);
}

TEST_F(ChangesTest, ClosingFinishesWhatRunsAndRefusesWhatWaits) {
  Mutex mutex;
  Condition changed;
  bool running = false, go_on = false;
  std::vector<v1::Reason> reasons;
  const auto note = [&](absl::Status status) {
    MutexLock lock(mutex);
    reasons.push_back(ReasonOf(status));
    changed.NotifyAll();
  };
  changes_->Submit(
      {}, Effect::kAfterRecord,
      [&](store::Transaction&) -> absl::StatusOr<ChangeOutcome> {
        MutexLock lock(mutex);
        running = true;
        changed.NotifyAll();
        while (!go_on) changed.Wait(mutex);
        return ChangeOutcome();
      },
      note);
  {
    MutexLock lock(mutex);
    while (!running) changed.Wait(mutex);
  }
  // 256 may wait behind it; the next is refused at once.
  for (int i = 0; i < 257; ++i)
    changes_->Submit({}, Effect::kAfterRecord, Add(std::to_string(i)), note);
  {
    MutexLock lock(mutex);
    EXPECT_THAT(reasons, ElementsAre(v1::REASON_OVERLOADED));
  }
  std::thread closing([&] { changes_->Close(); });
  // Until Close has begun, a submission is refused as one too many; then because of it.
  v1::Reason last = v1::REASON_OVERLOADED;
  while (last == v1::REASON_OVERLOADED)
    changes_->Submit({}, Effect::kAfterRecord, Add("late"),
                     [&](absl::Status status) { last = ReasonOf(status); });
  EXPECT_EQ(last, v1::REASON_SHUTTING_DOWN);
  {
    MutexLock lock(mutex);
    go_on = true;
    changed.NotifyAll();
  }
  closing.join();
  ASSERT_EQ(reasons.size(), 258u);
  EXPECT_EQ(reasons[1], v1::REASON_UNSPECIFIED);  // what ran is done
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), v1::REASON_SHUTTING_DOWN), 256);
  EXPECT_EQ(Number("SELECT count(*) FROM things"), 0);
  EXPECT_EQ(log_.size(), 1u);
}

}  // namespace
}  // namespace sluice::audit
