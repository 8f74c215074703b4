#include "gateway/exchange/log_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "absl/strings/str_cat.h"
#include "gateway/exchange/exchange_testing.h"
#include "gateway/exchange/log_reading.h"

namespace sluice::exchange {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kPatience = std::chrono::seconds(30);

// A reader that takes what comes, or takes nothing until it is told to.
class Reader : public TailWriter {
 public:
  void Write(const google::protobuf::Message& written, std::function<void(bool)> taken) override {
    v1::TailResponse message;
    message.CheckTypeAndMergeFrom(written);
    {
      MutexLock lock(mutex_);
      messages_.push_back(std::move(message));
      ++writes_;
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
    EXPECT_EQ(held_, nullptr) << "finished while a message was on its way";
    end_ = std::move(status);
    changed_.NotifyAll();
  }
  void Abort() override {
    std::function<void(bool)> taken;
    {
      MutexLock lock(mutex_);
      aborted_ = true;
      taken = std::exchange(held_, nullptr);
    }
    if (taken) taken(false);
  }

  void Hold() {
    MutexLock lock(mutex_);
    holding_ = true;
  }
  void Take() {
    std::function<void(bool)> taken;
    {
      MutexLock lock(mutex_);
      holding_ = false;
      taken = std::exchange(held_, nullptr);
    }
    if (taken) taken(true);
  }
  // Waits for so many records; those that came.
  std::vector<int64_t> Await(size_t count) {
    MutexLock lock(mutex_);
    while (Indices().size() < count && !end_)
      if (!changed_.WaitFor(mutex_, kPatience)) break;
    return Indices();
  }
  absl::Status AwaitEnd() {
    MutexLock lock(mutex_);
    while (!end_)
      if (!changed_.WaitFor(mutex_, kPatience)) return absl::InternalError("it did not end");
    return *end_;
  }
  void AwaitWrites(int count) {
    MutexLock lock(mutex_);
    while (writes_ < count)
      if (!changed_.WaitFor(mutex_, kPatience)) break;
    EXPECT_GE(writes_, count);
  }
  int writes() {
    MutexLock lock(mutex_);
    return writes_;
  }
  bool aborted() {
    MutexLock lock(mutex_);
    return aborted_;
  }
  v1::TailResponse first() {
    MutexLock lock(mutex_);
    return messages_.empty() ? v1::TailResponse() : messages_[0];
  }

 private:
  std::vector<int64_t> Indices() SLUICE_REQUIRES(mutex_) {
    std::vector<int64_t> indices;
    for (const v1::TailResponse& message : messages_)
      for (const v1::Record& record : message.records()) indices.push_back(record.index());
    return indices;
  }
  Mutex mutex_;
  Condition changed_;
  std::vector<v1::TailResponse> messages_ SLUICE_GUARDED_BY(mutex_);
  std::function<void(bool)> held_ SLUICE_GUARDED_BY(mutex_);
  bool holding_ SLUICE_GUARDED_BY(mutex_) = false;
  bool aborted_ SLUICE_GUARDED_BY(mutex_) = false;
  int writes_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::optional<absl::Status> end_ SLUICE_GUARDED_BY(mutex_);
};

class LogTailTest : public ::testing::Test {
 protected:
  LogTailTest() {
    exchange_.ps.SetRows(Persons(2));
    exchange_.tr.SetRows(Vehicles(2));
    auto index = audit::SearchIndex::Open(
        folder_.path(), {*exchange_.keys, std::string(32, 'k'), [](const absl::Status&) {}});
    EXPECT_TRUE(index.ok()) << index.status();
    index_ = *std::move(index);
    Register("audit-office", "wang", {v1::ROLE_AUDITOR});
    Register("public-security", "li-na", {v1::ROLE_OWNER});
    Register("civil-affairs", "clerk", {});
    Register("gov", "ops", {v1::ROLE_OPERATOR});
    Begin({.tails = 8, .tails_per_principal = 3, .stall = 30 * kSecond});
  }
  ~LogTailTest() override {
    exchange_.log->PassAll();
    for (const auto& reader : readers_) reader->Take();
    if (tail_) tail_->Close();
  }

  void Begin(const LogTailLimits& limits) {
    reading_.reset();
    tail_.reset();
    const LogReadingParts parts{
        *exchange_.log,       *index_,           *exchange_.keys,     *exchange_.sealer,
        exchange_.pseudonyms, *exchange_.tokens, exchange_.snapshots, exchange_.clock};
    tail_ = std::make_unique<LogTail>(parts, limits);
    reading_ = std::make_unique<LogReading>(parts, *tail_, "log.vkey");
  }
  void Register(const std::string& agency, const std::string& name,
                const std::vector<v1::Role>& roles) {
    exchange_.directory.agencies[agency].set_id(agency);
    exchange_.directory.agencies[agency].set_state(v1::REGISTRATION_STATE_ACTIVE);
    v1::Person& person = exchange_.directory.persons[absl::StrCat(agency, "/", name)];
    person.set_name(name);
    person.set_state(v1::REGISTRATION_STATE_ACTIVE);
    person.clear_roles();
    for (const v1::Role role : roles) person.add_roles(role);
    exchange_.Publish();
  }
  Call CallOf(const std::string& agency, const std::string& name) const {
    Call call;
    auto identity = certs::MakeSpiffeId("gov.example", certs::Kind::kPerson, agency, name);
    certs::VerifiedPeer peer;
    peer.identity = *identity;
    const auto principal = exchange_.directory.Resolve(peer);
    EXPECT_TRUE(principal.ok()) << principal.status();
    call.principal = std::make_shared<const identity::Principal>(*principal);
    call.certificate = std::make_shared<const certs::VerifiedPeer>(peer);
    call.call_id = "tail";
    call.method = "Audit.Tail";
    return call;
  }
  Call Auditor() const { return CallOf("audit-office", "wang"); }

  std::shared_ptr<Reader> Tail(const Call& call, const v1::TailRequest& request,
                               bool hold = false) {
    auto reader = std::make_shared<Reader>();
    if (hold) reader->Hold();
    readers_.push_back(reader);
    followers_.push_back(LogTail::MakeFollower(call, reader));
    reading_->Tail(followers_.back(), call, request);
    return reader;
  }
  std::shared_ptr<Reader> TailFrom(const Call& call, int64_t from, bool hold = false) {
    v1::TailRequest request;
    request.set_from(from);
    return Tail(call, request, hold);
  }
  int64_t Query() { return exchange_.Query(VehiclesRequest())->receipt().index(); }

  Exchange exchange_;
  audit::TestFolder folder_;
  std::unique_ptr<audit::SearchIndex> index_;
  std::unique_ptr<LogTail> tail_;
  std::unique_ptr<LogReading> reading_;
  std::vector<std::shared_ptr<Reader>> readers_;
  std::vector<std::shared_ptr<LogTail::Follower>> followers_;
};

TEST_F(LogTailTest, WhatWasWrittenAndThenWhatIsBeingWritten) {
  Query();
  Query();
  const auto reader = TailFrom(Auditor(), 1);
  // Its own beginning is a record as well.
  EXPECT_THAT(reader->Await(2), ElementsAre(1, 2));
  EXPECT_EQ(reader->first().read_index(), 2);
  const int64_t third = Query();
  EXPECT_THAT(reader->Await(3), ElementsAre(1, 2, third));
}

TEST_F(LogTailTest, WithoutAnIndexOnlyWhatIsToCome) {
  Query();
  const auto reader = Tail(Auditor(), {});
  reader->AwaitWrites(1);
  const int64_t next = Query();
  EXPECT_THAT(reader->Await(1), ElementsAre(next));
}

TEST_F(LogTailTest, EachSeesWhatItsRolesShowAndWhatItAskedFor) {
  const int64_t vehicle = Query();
  const int64_t persons = exchange_.Query(PersonsRequest())->receipt().index();
  const int64_t clinic = exchange_.Query(PersonsRequest(), "health/clinic")->receipt().index();
  v1::TailRequest request;
  request.set_from(0);
  request.mutable_filter()->set_kind(v1::RECORD_KIND_RELEASED);
  EXPECT_THAT(Tail(Auditor(), request)->Await(3), ElementsAre(vehicle, persons, clinic));
  EXPECT_THAT(Tail(CallOf("public-security", "li-na"), request)->Await(2),
              ElementsAre(persons, clinic));
  EXPECT_THAT(Tail(CallOf("civil-affairs", "clerk"), request)->Await(2),
              ElementsAre(vehicle, persons));
  EXPECT_THAT(Tail(exchange_.CallBy("health/clinic"), request)->Await(1), ElementsAre(clinic));
  EXPECT_EQ(ReasonOf(Tail(CallOf("gov", "ops"), request)->AwaitEnd()), v1::REASON_ROLE_REQUIRED);
  request.mutable_filter()->mutable_subject()->set_id_type("CN-RID");
  request.mutable_filter()->mutable_subject()->set_id(ResidentNumber(1));
  EXPECT_THAT(Tail(Auditor(), request)->Await(2), ElementsAre(persons, clinic));
}

TEST_F(LogTailTest, RecordedBeforeItsFirstMessageAndWhenItEnds) {
  Query();
  exchange_.log->Hold();
  const auto reader = TailFrom(Auditor(), 0);
  exchange_.log->AwaitHeld(1);
  EXPECT_EQ(reader->writes(), 0);
  exchange_.log->PassAll();
  reader->Await(2);
  tail_->GiveUp(followers_[0]);
  EXPECT_EQ(ReasonOf(reader->AwaitEnd()), v1::REASON_CANCELLED);
  const auto records = exchange_.Records(v1::RECORD_KIND_READ);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].envelope.actor().principal(), "agency/audit-office/person/wang");
  EXPECT_EQ(records[0].envelope.reason(), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(records[1].envelope.reason(), v1::REASON_CANCELLED);
  EXPECT_EQ(records[1].envelope.read_from(), 0);
  EXPECT_EQ(records[1].envelope.read_to(), 2);
  EXPECT_EQ(records[1].envelope.count(), 2);
  EXPECT_EQ(records[1].detail.search_json(), records[0].detail.search_json());
}

TEST_F(LogTailTest, ASlowReaderHoldsUpNobodyAndNothingIsHeldForIt) {
  const auto slow = TailFrom(Auditor(), 0, true);
  slow->AwaitWrites(1);
  const auto quick = TailFrom(Auditor(), 0);
  std::vector<int64_t> all;
  for (int i = 0; i < 300; ++i) Query();
  EXPECT_GE(quick->Await(302).size(), 302u);
  // One message is on its way to the slow one, whatever was written meanwhile.
  EXPECT_EQ(slow->writes(), 1);
  slow->Take();
  EXPECT_GE(slow->Await(302).size(), 302u);
  EXPECT_LT(slow->writes(), 20);
}

TEST_F(LogTailTest, WhoTakesNothingForTooLongIsEnded) {
  const auto stuck = TailFrom(Auditor(), 0, true);
  stuck->AwaitWrites(1);
  exchange_.clock.Advance(31 * kSecond);
  EXPECT_EQ(ReasonOf(stuck->AwaitEnd()), v1::REASON_DEADLINE_EXCEEDED);
  EXPECT_TRUE(stuck->aborted());
}

TEST_F(LogTailTest, EndsAtTheDrainAlsoWhereNothingIsTaken) {
  const auto good = TailFrom(Auditor(), 0);
  good->AwaitWrites(1);
  const auto stuck = TailFrom(Auditor(), 0, true);
  stuck->AwaitWrites(1);
  tail_->Close();
  EXPECT_EQ(ReasonOf(good->AwaitEnd()), v1::REASON_SHUTTING_DOWN);
  EXPECT_EQ(ReasonOf(stuck->AwaitEnd()), v1::REASON_SHUTTING_DOWN);
  EXPECT_EQ(exchange_.Records(v1::RECORD_KIND_READ).size(), 4u);
  EXPECT_EQ(ReasonOf(TailFrom(Auditor(), 0)->AwaitEnd()), v1::REASON_SHUTTING_DOWN);
}

TEST_F(LogTailTest, EndsWhenItsReaderMayReadNoMore) {
  const auto reader = TailFrom(Auditor(), 0);
  reader->AwaitWrites(1);
  Register("audit-office", "wang", {});
  exchange_.clock.Advance(kSecond);
  EXPECT_EQ(ReasonOf(reader->AwaitEnd()), v1::REASON_ROLE_REQUIRED);
  Register("audit-office", "wang", {v1::ROLE_AUDITOR});
  const auto another = TailFrom(Auditor(), 0);
  another->AwaitWrites(1);
  exchange_.directory.persons["audit-office/wang"].set_state(v1::REGISTRATION_STATE_SUSPENDED);
  exchange_.Publish();
  exchange_.clock.Advance(kSecond);
  EXPECT_EQ(ReasonOf(another->AwaitEnd()), v1::REASON_SUSPENDED);
}

TEST_F(LogTailTest, EndsAtItsDeadlineAndWithoutALog) {
  Call call = Auditor();
  call.deadline = exchange_.clock.Monotonic() + kMinute;
  const auto late = TailFrom(call, 0);
  late->AwaitWrites(1);
  exchange_.clock.Advance(kMinute);
  EXPECT_EQ(ReasonOf(late->AwaitEnd()), v1::REASON_DEADLINE_EXCEEDED);

  const auto reader = TailFrom(Auditor(), 0);
  reader->AwaitWrites(1);
  exchange_.files->Inject({.at = exchange_.files->Operations().size()});
  EXPECT_FALSE(exchange_.Query(VehiclesRequest()).ok());
  tail_->EndAll(Error(v1::REASON_AUDIT_UNAVAILABLE, "the log takes no more records."));
  EXPECT_EQ(ReasonOf(reader->AwaitEnd()), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(TailFrom(Auditor(), 0)->AwaitEnd()), v1::REASON_AUDIT_UNAVAILABLE);
}

TEST_F(LogTailTest, APersonOfYearsBeforeIsFollowedWithoutAnIndex) {
  const int64_t before = exchange_.Query(PersonsRequest())->receipt().index();
  for (int i = 0; i < 40; ++i) exchange_.clock.Advance(20 * kDay);
  v1::TailRequest request;
  request.set_from(0);
  request.mutable_filter()->mutable_subject()->set_id_type("CN-RID");
  request.mutable_filter()->mutable_subject()->set_id(ResidentNumber(1));
  request.mutable_filter()->set_certain(true);
  const auto reader = Tail(Auditor(), request);
  // Its own beginning names the same person.
  EXPECT_THAT(reader->Await(2), ElementsAre(before, before + 1));
}

TEST_F(LogTailTest, NotMoreThanTheLimits) {
  Begin({.tails = 3, .tails_per_principal = 2});
  TailFrom(Auditor(), 0)->AwaitWrites(1);
  TailFrom(Auditor(), 0)->AwaitWrites(1);
  EXPECT_EQ(ReasonOf(TailFrom(Auditor(), 0)->AwaitEnd()), v1::REASON_TOO_MANY_CALLS);
  TailFrom(CallOf("civil-affairs", "clerk"), 0)->AwaitWrites(1);
  EXPECT_EQ(ReasonOf(TailFrom(CallOf("public-security", "li-na"), 0)->AwaitEnd()),
            v1::REASON_OVERLOADED);
  // Who leaves makes room.
  tail_->GiveUp(followers_[0]);
  readers_[0]->AwaitEnd().IgnoreError();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto again = TailFrom(Auditor(), 0);
    again->AwaitWrites(0);
    if (again->Await(1).size() >= 1 || std::chrono::steady_clock::now() > until) break;
  }
  EXPECT_THAT(readers_.back()->Await(1), testing::Not(IsEmpty()));
}

TEST_F(LogTailTest, ALongLogIsReadPieceByPiece) {
  for (int i = 0; i < 450; ++i) Query();
  v1::TailRequest request;
  request.set_from(0);
  request.mutable_filter()->set_purpose("relief");
  const auto reader = Tail(Auditor(), request);
  const auto seen = reader->Await(450);
  ASSERT_EQ(seen.size(), 450u);
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<int64_t>(i));
  EXPECT_GE(reader->writes(), 4);
}

}  // namespace
}  // namespace sluice::exchange
