// Answers to searches, held against a copy of the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/audit/log_copy.h"
#include "gateway/audit/search_tags.h"
#include "gateway/base/crypto.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kHeldFolder[] = "/auditor/copy";

class AuditHeldTest : public ::testing::Test {
 protected:
  // Every third record is of another agency.
  virtual v1::AuditEnvelope EnvelopeAt(int64_t index) const {
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

// A log of which envelopes have tags, as the gateway makes them: every tenth record is of case
// R-0118, every seventh about one person. The first fifty have a key that was dropped, of the last
// ten each has more subjects than are tagged.
class AuditHeldTagsTest : public AuditHeldTest {
 protected:
  static constexpr int64_t kRecords = 200, kErased = 50, kUntaggedFrom = 190;
  static std::string KeyAt(int64_t index) { return std::string(32, index < kErased ? 'o' : 'n'); }
  static std::string KeyNameAt(int64_t index) {
    return index < kErased ? "2026-10/three-years" : "2026-11/three-years";
  }
  static bool IsOfCase(int64_t index) { return index % 10 == 0; }
  static bool IsAboutPerson(int64_t index) { return index % 7 == 0; }

  v1::AuditEnvelope EnvelopeAt(int64_t index) const override {
    v1::AuditEnvelope envelope = AuditHeldTest::EnvelopeAt(index);
    v1::AuditDetail detail;
    detail.set_case_reference(IsOfCase(index) ? "R-0118" : "R-0119");
    detail.set_end_user("wang");
    detail.add_asked()->set_pseudonym(IsAboutPerson(index) ? "the person" : "another");
    if (index >= kUntaggedFrom)
      for (size_t i = 0; i < audit::kMostSearchTags; ++i)
        detail.add_released()->set_pseudonym(absl::StrCat(i));
    envelope.set_subjects_asked(v1::SUBJECT_SCOPE_LISTED);
    envelope.set_detail_key(KeyNameAt(index));
    envelope.set_detail_commitment(std::string(AsBytes(Sha256(absl::StrCat(index)))));
    const audit::TaggedValues tagged(detail, 0);
    envelope.set_search_tags(
        tagged.Tags(KeyAt(index), envelope.detail_commitment(), std::string(tagged.bytes(), 'f')));
    envelope.set_subjects_untagged(tagged.subjects_left_out());
    return envelope;
  }

  // What the search finds, but for one record, and the tokens of the key that is kept.
  v1::ListRecordsResponse Answer(bool (*is_meant)(int64_t), int64_t left_out,
                                 v1::SearchCondition condition, const std::string& value) const {
    v1::ListRecordsResponse answer;
    for (int64_t i = kRecords - 1; i >= kErased; --i) {
      if (!is_meant(i) || i == left_out) continue;
      v1::Record& record = *answer.add_records();
      record.set_index(i);
      *record.mutable_envelope() = EnvelopeAt(i);
    }
    answer.set_searched_to(kRecords);
    answer.set_log_records(kRecords);
    v1::SearchToken& token = *answer.add_search_tokens();
    token.set_detail_key(KeyNameAt(kErased));
    token.set_condition(condition);
    token.set_token(audit::SearchToken(KeyAt(kErased), condition, value));
    return answer;
  }
  v1::ListRecordsResponse OfCase(int64_t left_out) const {
    return Answer(IsOfCase, left_out, v1::SEARCH_CONDITION_CASE_REFERENCE, "R-0118");
  }
  v1::ListRecordsResponse AboutPerson(int64_t left_out) const {
    return Answer(IsAboutPerson, left_out, v1::SEARCH_CONDITION_SUBJECT, "the person");
  }
  Ran SearchFor(const std::string& option, const std::string& value,
                const v1::ListRecordsResponse& answer) {
    tool_.gateway.Answer(kListRecords, answer);
    return tool_.Run({"audit", "search", option, value, "--copy", kHeldFolder});
  }
};

TEST_F(AuditHeldTagsTest, AWholeAnswerAboutACaseIsSaidToBeWhole) {
  MakeCopy(kRecords);
  const Ran ran = SearchFor("--case", "R-0118", OfCase(-1));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("15 of 15 are in it, and none is missing"));
  EXPECT_THAT(ran.err, HasSubstr("of 50 more records the copy does not tell"));
  EXPECT_TRUE(tool_.gateway.Asked(kListRecords).back().with_search_tokens());
}

TEST_F(AuditHeldTagsTest, ARecordOfACaseThatIsLeftOutIsNamed) {
  MakeCopy(kRecords);
  const Ran ran = SearchFor("--case", "R-0118", OfCase(120));
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("SEARCH_INCOMPLETE: the answer lacks 1 records"));
  EXPECT_THAT(ran.err, HasSubstr("#120"));
}

TEST_F(AuditHeldTagsTest, ARecordAboutAPersonThatIsLeftOutIsNamed) {
  MakeCopy(kRecords);
  const Ran whole = SearchFor("--subject", "CN-RID:11010519491231002X", AboutPerson(-1));
  EXPECT_EQ(whole.code, 0) << whole.err;
  // Those whose key was dropped, and nine with more subjects than are tagged; the tenth it has.
  EXPECT_THAT(whole.err, HasSubstr("of 59 more records the copy does not tell"));
  const Ran ran = SearchFor("--subject", "CN-RID:11010519491231002X", AboutPerson(77));
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("SEARCH_INCOMPLETE: the answer lacks 1 records"));
  EXPECT_THAT(ran.err, HasSubstr("#77"));
}

TEST_F(AuditHeldTagsTest, ARecordThatHasNotWhatWasAskedForIsNamed) {
  MakeCopy(kRecords);
  v1::ListRecordsResponse answer = OfCase(-1);
  v1::Record& other = *answer.add_records();
  other.set_index(61);
  *other.mutable_envelope() = EnvelopeAt(61);
  const Ran ran = SearchFor("--case", "R-0118", answer);
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("SEARCH_ALTERED"));
  EXPECT_THAT(ran.err, HasSubstr("#61"));
}

TEST_F(AuditHeldTagsTest, ATokenThatFitsNothingConvictsWhoeverGivesItWithAnAnswer) {
  MakeCopy(kRecords);
  v1::ListRecordsResponse answer = OfCase(-1);
  answer.mutable_search_tokens(0)->set_token(std::string(32, 'x'));
  const Ran ran = SearchFor("--case", "R-0118", answer);
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("SEARCH_ALTERED"));
}

}  // namespace
}  // namespace sluice::cli
