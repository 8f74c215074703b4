// Bulkheads: one source's trouble stays its own.
#include "gateway/exchange/sources.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

class SourcesTest : public ::testing::Test {
 protected:
  SourcesTest() {
    ExchangeOptions options;
    options.source.set_connections(1);
    options.source.set_queue(2);
    options.source.set_breaker_failures(3);
    options.source.set_breaker_open_ms(10'000);
    exchange_ = std::make_unique<Exchange>(options);
    exchange_->ps.SetRows(Persons(3));
    exchange_->tr.SetRows(Vehicles(2));
  }
  v1::Reason Ask(const v1::QueryRequest& request) {
    const auto answer = exchange_->Query(request);
    exchange_->AwaitIdle();
    return ReasonOf(answer.status());
  }
  std::string Breaker() const { return exchange_->sources->Find("ps")->Status().breaker(); }

  std::unique_ptr<Exchange> exchange_;
};

TEST_F(SourcesTest, AHangingSourceDelaysNoCallOfAnother) {
  exchange_->ps.Hang();
  std::vector<PendingQuery> stuck;
  stuck.push_back(exchange_->Start(PersonsRequest()));
  exchange_->ps.AwaitHanging(1);
  for (int i = 0; i < 2; ++i) stuck.push_back(exchange_->Start(PersonsRequest()));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(exchange_->Query(VehiclesRequest()).ok());
  for (const PendingQuery& pending : stuck) EXPECT_EQ(pending.times(), 0);
  exchange_->ps.LetGo();
  for (const PendingQuery& pending : stuck) EXPECT_TRUE(pending.Wait().ok());
}

TEST_F(SourcesTest, AFullQueueIsSaidWithADelay) {
  exchange_->ps.Hang();
  std::vector<PendingQuery> stuck = {exchange_->Start(PersonsRequest())};
  exchange_->ps.AwaitHanging(1);
  for (int i = 0; i < 2; ++i) stuck.push_back(exchange_->Start(PersonsRequest()));
  const auto refused = exchange_->Query(PersonsRequest());
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_SOURCE_BUSY);
  ASSERT_TRUE(RetryInfoOf(refused.status()).has_value());
  EXPECT_GT(RetryInfoOf(refused.status())->retry_delay().seconds(), 0);
  EXPECT_EQ(exchange_->sources->Find("ps")->Status().waiting(), 2);
  exchange_->ps.LetGo();
  for (const PendingQuery& pending : stuck) EXPECT_TRUE(pending.Wait().ok());
  const auto failed = exchange_->Records(v1::RECORD_KIND_FAILED);
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].envelope.reason(), v1::REASON_SOURCE_BUSY);
}

TEST_F(SourcesTest, TheBreakerOpensTriesOnceAndCloses) {
  exchange_->ps.FailScan(Error(v1::REASON_SOURCE_UNAVAILABLE, "the connection was refused."));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(Breaker(), "open");
  // Refused at once, without asking the source, and with the time to the next trial.
  const auto refused = exchange_->Query(PersonsRequest());
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(RetryInfoOf(refused.status())->retry_delay().seconds(), 10);
  EXPECT_EQ(exchange_->ps.scans(), 3);
  EXPECT_EQ(Ask(VehiclesRequest()), v1::REASON_UNSPECIFIED);

  exchange_->clock.Advance(10 * kSecond);
  exchange_->ps.FailScan(absl::OkStatus());
  exchange_->ps.Hang();
  const PendingQuery trial = exchange_->Start(PersonsRequest());
  exchange_->ps.AwaitHanging(1);
  EXPECT_EQ(Breaker(), "half_open");
  EXPECT_EQ(ReasonOf(exchange_->Query(PersonsRequest()).status()), v1::REASON_SOURCE_UNAVAILABLE);
  exchange_->ps.LetGo();
  EXPECT_TRUE(trial.Wait().ok());
  exchange_->AwaitIdle();
  EXPECT_EQ(Breaker(), "closed");
  EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_UNSPECIFIED);
}

TEST_F(SourcesTest, ATrialWhoseCallerGivesUpLetsTheNextOneTry) {
  exchange_->ps.FailScan(Error(v1::REASON_SOURCE_UNAVAILABLE, "the connection was refused."));
  for (int i = 0; i < 3; ++i) Ask(PersonsRequest());
  exchange_->clock.Advance(10 * kSecond);
  exchange_->ps.FailScan(absl::OkStatus());
  exchange_->ps.Hang();
  const PendingQuery trial = exchange_->Start(PersonsRequest());
  exchange_->ps.AwaitHanging(1);
  trial.cancel();
  EXPECT_EQ(ReasonOf(trial.Wait().status()), v1::REASON_CANCELLED);
  exchange_->ps.LetGo();
  exchange_->AwaitIdle();
  EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(Breaker(), "closed");
}

// One consumer in a hurry must not close the source to all others.
TEST_F(SourcesTest, ACallersOwnShortDeadlineSpeaksNotAgainstTheSource) {
  exchange_->ps.FailScan(Error(v1::REASON_DEADLINE_EXCEEDED, "the deadline passed."));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ReasonOf(exchange_->Start(PersonsRequest(), kMillisecond).Wait().status()),
              v1::REASON_DEADLINE_EXCEEDED);
    exchange_->AwaitIdle();
  }
  EXPECT_EQ(Breaker(), "closed");
  // The source's own limit does.
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReasonOf(exchange_->Start(PersonsRequest(), kHour).Wait().status()),
              v1::REASON_DEADLINE_EXCEEDED);
    exchange_->AwaitIdle();
  }
  EXPECT_EQ(Breaker(), "open");
}

TEST_F(SourcesTest, AProbeIsTheTrialSoThatNoCallHasToBe) {
  exchange_->ps.FailScan(Error(v1::REASON_SOURCE_UNAVAILABLE, "the connection was refused."));
  exchange_->ps.FailProbe(Error(v1::REASON_SOURCE_UNAVAILABLE, "the connection was refused."));
  for (int i = 0; i < 3; ++i) Ask(PersonsRequest());
  const auto probe = [this] {
    exchange_->sources->ProbeWhereDue();
    exchange_->AwaitIdle();
  };
  probe();  // the breaker is open, and no trial is due
  EXPECT_EQ(exchange_->ps.probes(), 0);
  exchange_->clock.Advance(10 * kSecond);
  probe();
  EXPECT_EQ(exchange_->ps.probes(), 1);
  EXPECT_EQ(Breaker(), "open");
  exchange_->ps.FailScan(absl::OkStatus());
  exchange_->ps.FailProbe(absl::OkStatus());
  exchange_->clock.Advance(10 * kSecond);
  probe();
  EXPECT_EQ(Breaker(), "closed");
  EXPECT_EQ(exchange_->ps.scans(), 3);
  EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_UNSPECIFIED);
}

TEST_F(SourcesTest, ASourceThatNobodyAsksIsProbedNowAndThen) {
  const auto probe = [this] {
    exchange_->sources->ProbeWhereDue();
    exchange_->AwaitIdle();
    return exchange_->ps.probes();
  };
  EXPECT_FALSE(exchange_->sources->Find("ps")->Status().has_last_answer());
  EXPECT_EQ(probe(), 1);
  EXPECT_TRUE(exchange_->sources->Find("ps")->Status().has_last_answer());
  EXPECT_EQ(probe(), 1);
  exchange_->clock.Advance(kMinute);
  EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(probe(), 1) << "a call has just been answered";
  exchange_->clock.Advance(kMinute);
  EXPECT_EQ(probe(), 2);
  exchange_->ps.FailProbe(Error(v1::REASON_SOURCE_UNAVAILABLE, "the connection was refused."));
  for (int i = 0; i < 3; ++i) {
    exchange_->clock.Advance(kMinute);
    probe();
  }
  EXPECT_EQ(Breaker(), "open");
  EXPECT_EQ(exchange_->sources->Find("ps")->Status().last_failure(), "the connection was refused.");
}

TEST_F(SourcesTest, WithinItsClosedHoursASourceIsLeftAlone) {
  const auto hour = [this](int ahead) {
    return absl::FormatTime("%H:00", absl::FromUnixMicros(exchange_->clock.Now() + ahead * kHour),
                            absl::UTCTimeZone());
  };
  v1::Source& ps = exchange_->directory.sources["ps"];
  ps.add_closed(absl::StrCat(hour(1), "-", hour(3)));
  ps.set_time_zone("+00:00");
  exchange_->Publish();
  EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_UNSPECIFIED);
  exchange_->clock.Advance(kHour);
  const auto refused = exchange_->Query(PersonsRequest());
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_SOURCE_CLOSED) << refused.status();
  ASSERT_TRUE(RetryInfoOf(refused.status()).has_value());
  const int64_t wait = RetryInfoOf(refused.status())->retry_delay().seconds();
  EXPECT_GT(wait, 3600);
  EXPECT_LE(wait, 7200);
  EXPECT_EQ(exchange_->Records(v1::RECORD_KIND_FAILED).back().envelope.reason(),
            v1::REASON_SOURCE_CLOSED);
  exchange_->clock.Advance(kMinute);
  exchange_->sources->ProbeWhereDue();
  exchange_->AwaitIdle();
  EXPECT_EQ(exchange_->ps.probes(), 0);
  EXPECT_EQ(exchange_->ps.scans(), 1);
  EXPECT_TRUE(exchange_->sources->Find("ps")->Status().has_closed_until());
  EXPECT_EQ(Ask(VehiclesRequest()), v1::REASON_UNSPECIFIED);
  exchange_->clock.Advance((wait + 60) * kSecond);
  EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_UNSPECIFIED);
}

TEST_F(SourcesTest, AChangedDefinitionServesNewCallsWhileTheOldOneEnds) {
  exchange_->ps.Hang(/*deaf=*/true);
  const PendingQuery old = exchange_->Start(PersonsRequest());
  exchange_->ps.AwaitHanging(1);
  exchange_->directory.sources["ps"].mutable_limits()->set_connections(2);
  exchange_->Publish();
  exchange_->sources->Reap();  // not while it is at work
  const PendingQuery fresh = exchange_->Start(PersonsRequest());
  exchange_->ps.AwaitHanging(2);
  exchange_->ps.LetGo();
  EXPECT_TRUE(old.Wait().ok());
  EXPECT_TRUE(fresh.Wait().ok());
  exchange_->AwaitIdle();
  exchange_->sources->Reap();
}

TEST_F(SourcesTest, ASourceThatIsTakenAwayIsUnavailable) {
  exchange_->directory.sources.erase("ps");
  exchange_->Publish();
  EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_SOURCE_UNAVAILABLE);
}

TEST_F(SourcesTest, ADropThatIsHeldBackSpeaksAgainstNoSource) {
  absl::Status held = Error(v1::REASON_SOURCE_UNAVAILABLE, "its drop is held back.");
  AddKey(held, adapters::kHeldBack, "marker");
  exchange_->ps.FailScan(held);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(Breaker(), "closed");
  exchange_->ps.FailScan(Error(v1::REASON_SOURCE_UNAVAILABLE, "no route."));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(PersonsRequest()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(Breaker(), "open");
}

TEST_F(SourcesTest, NotesAreToldOnceAndStandAsLongAsTheyHold) {
  const FakeClock clock;
  FakeSource fake;
  std::vector<std::string> told;
  SourceAtWork source(
      {}, [&fake](const v1::Source&) { return fake.Open(); }, clock,
      [&told](std::string_view, std::string_view note) { told.emplace_back(note); });
  const auto work = [&] {
    std::atomic<bool> done{false};
    EXPECT_TRUE(source
                    .Submit([&](absl::StatusOr<adapters::Adapter*>) {
                      done = true;
                      return absl::OkStatus();
                    })
                    .ok());
    while (!done || !source.idle()) std::this_thread::yield();
    const v1::SourceStatus status = source.Status();
    return std::vector<std::string>(status.notes().begin(), status.notes().end());
  };
  EXPECT_TRUE(work().empty());
  fake.SetNotes({"a is held back"});
  EXPECT_EQ(work(), std::vector<std::string>{"a is held back"});
  fake.SetNotes({"a is held back", "b is held back"});
  EXPECT_EQ(work().size(), 2u);
  EXPECT_EQ(told, (std::vector<std::string>{"a is held back", "b is held back"}));
  fake.SetNotes({});
  EXPECT_TRUE(work().empty());
  fake.SetNotes({"a is held back"});
  EXPECT_EQ(work().size(), 1u);
  EXPECT_EQ(told.size(), 3u);
}

// The last to let go of a source may be a task in its own pool, which cannot wait for itself.
TEST_F(SourcesTest, TheEndWaitsForTasksThatHoldTheirSource) {
  const FakeClock clock;
  FakeSource fake;
  auto sources =
      std::make_unique<Sources>(clock, [&fake](const v1::Source&) { return fake.Open(); });
  v1::Source definition;
  definition.set_id("ps");
  sources->Update({{"ps", definition}});
  std::shared_ptr<SourceAtWork> source = sources->Find("ps");
  SourceAtWork& at_work = *source;
  std::atomic<bool> ending{false}, ended{false};
  ASSERT_TRUE(at_work
                  .Submit([&, held = std::move(source)](absl::StatusOr<adapters::Adapter*>) {
                    while (!ending) std::this_thread::yield();
                    // As long as it takes for the other references to go, if they go too soon.
                    for (int i = 0; i < 20'000 && held.use_count() > 1; ++i)
                      std::this_thread::yield();
                    ended = true;
                    return absl::OkStatus();
                  })
                  .ok());
  ending = true;
  sources.reset();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace sluice::exchange
