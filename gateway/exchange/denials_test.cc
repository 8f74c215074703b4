#include "gateway/exchange/denials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

using ::testing::SizeIs;

// Asks about one person for a purpose that is none; refused.
v1::QueryRequest DeniedAbout(const std::string& id) {
  v1::QueryRequest request = PersonRequest(id);
  request.set_purpose("curiosity");
  return request;
}

void Deny(Exchange& exchange, const v1::QueryRequest& request,
          const std::string& system = "civil-affairs/relief") {
  EXPECT_FALSE(exchange.Query(request, system).ok());
}

std::string PseudonymOf(const Exchange& exchange, int n) {
  return exchange.pseudonyms.ForSubject("CN-RID", ResidentNumber(n), exchange.clock.Now())
      .pseudonym();
}

// All subjects that any refusal asked about.
std::set<std::string> AllAsked(const Exchange& exchange) {
  std::set<std::string> all;
  for (const ReadRecord& record : exchange.Records())
    for (const v1::SubjectPseudonym& subject : record.detail.asked())
      all.insert(subject.pseudonym());
  return all;
}

// Refusals that the log knows, counted ones too.
int64_t Recorded(const Exchange& exchange) {
  int64_t denials = 0;
  for (const ReadRecord& record : exchange.Records())
    denials += record.envelope.kind() == v1::RECORD_KIND_DENIALS ? record.envelope.count() : 1;
  return denials;
}

TEST(DenialsTest, BeyondTenASecondTheyAreCountedWithTheirSubjects) {
  Exchange exchange;
  for (int i = 0; i < 25; ++i) {
    const auto answer = exchange.Query(DeniedAbout(ResidentNumber(i)));
    EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_PURPOSE_UNKNOWN);
  }
  EXPECT_THAT(exchange.Records(v1::RECORD_KIND_DENIED), SizeIs(10));
  EXPECT_THAT(exchange.Records(v1::RECORD_KIND_DENIALS), SizeIs(0));

  exchange.denials->Flush(false);  // the second is not over
  exchange.clock.Advance(kSecond);
  exchange.denials->Flush(false);
  ASSERT_TRUE(exchange.Query(VehiclesRequest()).ok());  // what was appended before is in the log
  const auto counted = exchange.Records(v1::RECORD_KIND_DENIALS);
  ASSERT_THAT(counted, SizeIs(1));
  const v1::AuditEnvelope& envelope = counted[0].envelope;
  EXPECT_EQ(envelope.count(), 15);
  EXPECT_EQ(envelope.reason(), v1::REASON_PURPOSE_UNKNOWN);
  EXPECT_EQ(envelope.actor().principal(), "agency/civil-affairs/system/relief");
  EXPECT_EQ(envelope.dataset(), "public-security/persons");
  EXPECT_EQ(envelope.subjects_asked(), v1::SUBJECT_SCOPE_LISTED);
  EXPECT_THAT(counted[0].detail.asked(), SizeIs(15));
  std::set<std::string> all;
  for (int i = 0; i < 25; ++i) all.insert(PseudonymOf(exchange, i));
  EXPECT_EQ(AllAsked(exchange), all);
}

TEST(DenialsTest, TheNextSecondBeginsANewWindowAndEndsTheOneBefore) {
  Exchange exchange;
  for (int i = 0; i < 12; ++i) Deny(exchange, DeniedAbout(ResidentNumber(i)));
  exchange.clock.Advance(kSecond);
  Deny(exchange, DeniedAbout(ResidentNumber(12)));
  EXPECT_THAT(exchange.Records(v1::RECORD_KIND_DENIED), SizeIs(11));
  EXPECT_EQ(Recorded(exchange), 13);
}

TEST(DenialsTest, CallersAndReasonsAreCountedApart) {
  Exchange exchange;
  v1::QueryRequest unknown = PersonsRequest();
  unknown.set_dataset("public-security/nothing");
  for (int i = 0; i < 10; ++i) {
    Deny(exchange, DeniedAbout(ResidentNumber(i)));
    Deny(exchange, DeniedAbout(ResidentNumber(i)), "health/clinic");
    Deny(exchange, unknown);
  }
  EXPECT_THAT(exchange.Records(v1::RECORD_KIND_DENIED), SizeIs(30));
}

TEST(DenialsTest, WhatTheyDoNotShareIsLeftOutOfTheCount) {
  Exchange exchange;
  v1::QueryRequest vehicles = VehiclesRequest();
  vehicles.set_purpose("curiosity");
  for (int i = 0; i < 11; ++i) Deny(exchange, DeniedAbout(ResidentNumber(i)));
  Deny(exchange, vehicles);
  exchange.denials->Flush(true);
  ASSERT_TRUE(exchange.Query(VehiclesRequest()).ok());
  const auto counted = exchange.Records(v1::RECORD_KIND_DENIALS);
  ASSERT_THAT(counted, SizeIs(1));
  EXPECT_EQ(counted[0].envelope.count(), 2);
  EXPECT_EQ(counted[0].envelope.dataset(), "");
  EXPECT_EQ(counted[0].envelope.owner_agency(), "");
  EXPECT_THAT(counted[0].detail.asked(), SizeIs(1));
}

TEST(DenialsTest, TooManySubjectsBecomeThePopulation) {
  Exchange exchange;
  v1::QueryRequest many = PersonRequest(ResidentNumber(0));
  many.set_purpose("curiosity");
  many.set_filter("id_number = $id");
  auto& values = (*many.mutable_parameters())["id"];
  for (int i = 1; i < 900; ++i) values.add_values()->set_string_value(ResidentNumber(i));
  for (int i = 0; i < 13; ++i) Deny(exchange, many);
  exchange.denials->Flush(true);
  ASSERT_TRUE(exchange.Query(VehiclesRequest()).ok());
  const auto counted = exchange.Records(v1::RECORD_KIND_DENIALS);
  ASSERT_THAT(counted, SizeIs(1));
  EXPECT_EQ(counted[0].envelope.count(), 3);
  EXPECT_EQ(counted[0].envelope.subjects_asked(), v1::SUBJECT_SCOPE_POPULATION);
  EXPECT_THAT(counted[0].detail.asked(), SizeIs(0));
}

// Asking for a filter that names nobody is asking about everybody.
TEST(DenialsTest, OneQuestionAboutThePopulationMakesTheCountOne) {
  Exchange exchange;
  v1::QueryRequest all = PersonsRequest();
  all.set_purpose("curiosity");
  for (int i = 0; i < 11; ++i) Deny(exchange, DeniedAbout(ResidentNumber(i)));
  Deny(exchange, all);
  Deny(exchange, DeniedAbout(ResidentNumber(12)));
  exchange.denials->Flush(true);
  ASSERT_TRUE(exchange.Query(VehiclesRequest()).ok());
  const auto counted = exchange.Records(v1::RECORD_KIND_DENIALS);
  ASSERT_THAT(counted, SizeIs(1));
  EXPECT_EQ(counted[0].envelope.count(), 3);
  EXPECT_EQ(counted[0].envelope.subjects_asked(), v1::SUBJECT_SCOPE_POPULATION);
}

TEST(DenialsTest, FromManyThreadsNoneIsLost) {
  Exchange exchange;
  const Call call = exchange.CallBy("civil-affairs/relief");
  constexpr int kThreads = 4, kEach = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const PendingQuery pending;
        exchange.broker->Query(call, DeniedAbout(ResidentNumber(t * kEach + i)), pending.Done());
        EXPECT_FALSE(pending.Wait().ok());
        if (i % 10 == 0) exchange.clock.Advance(kSecond / 3);
        if (i % 7 == 0) exchange.denials->Flush(false);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  exchange.denials->Flush(true);
  EXPECT_TRUE(exchange.file_log->Close().ok());
  EXPECT_EQ(Recorded(exchange), kThreads * kEach);
  EXPECT_THAT(AllAsked(exchange), SizeIs(kThreads * kEach));
}

}  // namespace
}  // namespace sluice::exchange
