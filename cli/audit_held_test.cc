// Answers to searches, held against a copy of the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/audit/log_copy.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kHeldFolder[] = "/auditor/copy";

class AuditHeldTest : public ::testing::Test {
 protected:
  // Every third record is of another agency.
  static v1::AuditEnvelope EnvelopeAt(int64_t index) {
    v1::AuditEnvelope envelope;
    envelope.set_kind(v1::RECORD_KIND_RELEASED);
    *envelope.mutable_time() = At("2026-11-23T14:00:00+08:00");
    envelope.mutable_actor()->set_agency(index % 3 == 0 ? "transport" : "civil-affairs");
    envelope.set_count(index);
    return envelope;
  }

  void MakeCopy(int64_t size) {
    std::vector<Hash> leaves;
    for (int64_t i = 0; i < size; ++i)
      leaves.push_back(audit::LeafHash(EnvelopeAt(i).SerializeAsString()));
    const SigningKey key = *SigningKey::FromSeed(std::string(32, 'k'));
    const std::string origin = Tool::ReceiptOf(EnvelopeAt(0), 0).origin();
    const audit::VerifierKey verifier =
        *audit::MakeVerifierKey(origin, audit::KeyType::kEd25519, key.public_key());
    auto copy = audit::LogCopy::Open(kHeldFolder, verifier, tool_.files);
    ASSERT_TRUE(copy.ok()) << copy.status();
    const audit::Checkpoint head{origin, static_cast<uint64_t>(size), audit::RootOf(leaves)};
    std::optional<audit::HeadConflict> conflict;
    ASSERT_TRUE(
        (*copy)
            ->Begin(audit::SignNote(audit::FormatCheckpointBody(head), origin, key), {}, &conflict)
            .ok());
    for (int64_t i = 0; i < size; ++i)
      ASSERT_TRUE((*copy)->Add(EnvelopeAt(i).SerializeAsString()).ok());
    ASSERT_TRUE((*copy)->Finish().ok());
  }

  // All records of civil-affairs below `end`, newest first, but for one.
  v1::ListRecordsResponse AnswerWithout(int64_t left_out, int64_t end) {
    v1::ListRecordsResponse answer;
    for (int64_t i = end - 1; i >= 0; --i) {
      if (i % 3 == 0 || i == left_out) continue;
      v1::Record& record = *answer.add_records();
      record.set_index(i);
      *record.mutable_envelope() = EnvelopeAt(i);
    }
    answer.set_searched_to(end);
    answer.set_log_records(end);
    return answer;
  }

  Ran Search(const v1::ListRecordsResponse& answer) {
    tool_.gateway.Answer(kListRecords, answer);
    return tool_.Run({"audit", "search", "--agency", "civil-affairs", "--copy", kHeldFolder});
  }

  Tool tool_;
};

TEST_F(AuditHeldTest, AWholeAnswerIsSaidToBeWhole) {
  MakeCopy(300);
  const Ran ran = Search(AnswerWithout(-1, 320));  // some are newer than the copy
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("held against the copy of 300 records: 200 of 213 are in it"));
}

TEST_F(AuditHeldTest, ARecordThatIsLeftOutIsNamed) {
  MakeCopy(300);
  const Ran ran = Search(AnswerWithout(17, 320));
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("SEARCH_INCOMPLETE: the answer lacks 1 records"));
  EXPECT_THAT(ran.err, HasSubstr("#17"));
}

TEST_F(AuditHeldTest, ARecordThatIsAnotherInTheCopyIsNamed) {
  MakeCopy(300);
  v1::ListRecordsResponse answer = AnswerWithout(-1, 300);
  answer.mutable_records(0)->mutable_envelope()->set_count(1);
  const Ran ran = Search(answer);
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("SEARCH_ALTERED"));
  EXPECT_THAT(ran.err, HasSubstr("#299"));
}

TEST_F(AuditHeldTest, ACopyThatDoesNotHoldJudgesNothing) {
  MakeCopy(300);
  const std::string path = std::string(kHeldFolder) + "/tile/entries/000";
  std::string bytes = *tool_.files.ReadAll(path);
  bytes[40] ^= 1;
  tool_.Write(path, bytes);
  const Ran ran = Search(AnswerWithout(17, 300));
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("LOG_BROKEN: the copy does not hold"));
}

TEST_F(AuditHeldTest, WhatStandsInDetailsCannotBeHeld) {
  const Ran ran = tool_.Run({"audit", "search", "--case", "R-0118", "--copy", kHeldFolder});
  EXPECT_EQ(ran.code, 2) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("a copy has envelopes alone"));
}

}  // namespace
}  // namespace sluice::cli
