// Searching and following the log, as an auditor types it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

v1::Record Released(int64_t index) {
  v1::Record record;
  record.set_index(index);
  v1::AuditEnvelope& envelope = *record.mutable_envelope();
  envelope.set_kind(v1::RECORD_KIND_RELEASED);
  *envelope.mutable_time() = At("2026-11-23T14:00:00+08:00");
  envelope.mutable_actor()->set_principal("agency/civil-affairs/system/relief");
  envelope.mutable_actor()->set_agency("civil-affairs");
  envelope.set_dataset("public-security/persons");
  envelope.set_purpose("relief");
  envelope.set_count(3);
  envelope.set_first_page(-1);
  envelope.set_repeats(-1);
  return record;
}

v1::ListRecordsResponse RecordsPage(int64_t newest, int count, const std::string& next) {
  v1::ListRecordsResponse page;
  for (int i = 0; i < count; ++i) *page.add_records() = Released(newest - i);
  page.set_next_page_token(next);
  page.set_searched_to(newest + 1);
  page.set_log_records(newest + 1);
  page.set_read_index(newest + 2);
  return page;
}

TEST(AuditCommandsTest, EachConditionHasItsOption) {
  Tool tool;
  tool.gateway.Answer(kListRecords, RecordsPage(18344, 1, ""));
  const Ran ran = tool.Run({"audit",          "search",
                            "--since",        "2026-11-01",
                            "--until",        "2026-12-01",
                            "--agency",       "civil-affairs",
                            "--system",       "civil-affairs/relief",
                            "--owner",        "public-security",
                            "--dataset",      "public-security/persons",
                            "--grant",        "7q4m2k",
                            "--purpose",      "relief",
                            "--law",          "社会救助暂行办法",
                            "--article",      "第58条",
                            "--outcome",      "let-go",
                            "--reason",       "quota_exceeded",
                            "--kind",         "closed",
                            "--case",         "R-0118",
                            "--user",         "wang.fang",
                            "--on-behalf-of", "mayor",
                            "--subject",      "CN-RID:990101195001013019",
                            "--certain"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const v1::RecordFilter filter = tool.gateway.Asked(kListRecords).at(0).filter();
  EXPECT_EQ(filter.since().seconds(), At("2026-11-01T00:00:00+08:00").seconds());
  EXPECT_EQ(filter.until().seconds(), At("2026-12-01T00:00:00+08:00").seconds());
  EXPECT_EQ(filter.principal(), "agency/civil-affairs/system/relief");
  EXPECT_EQ(filter.outcome(), v1::RECORD_OUTCOME_LET_GO);
  EXPECT_EQ(filter.reason(), v1::REASON_QUOTA_EXCEEDED);
  EXPECT_EQ(filter.kind(), v1::RECORD_KIND_CLOSED);
  EXPECT_EQ(filter.subject().id_type(), "CN-RID");
  EXPECT_EQ(filter.subject().id(), "990101195001013019");
  // All the others word by word; none is left out.
  std::vector<const google::protobuf::FieldDescriptor*> set;
  filter.GetReflection()->ListFields(filter, &set);
  EXPECT_EQ(set.size(), static_cast<size_t>(filter.GetDescriptor()->field_count()));
  tool.input = "990102195506083027\r\n";
  tool.Run({"audit", "search", "--subject", "CN-RID:-"});
  EXPECT_EQ(tool.gateway.Asked(kListRecords).back().filter().subject().id(), "990102195506083027");
  tool.Run({"audit", "search", "--person", "audit-office/wang"});
  EXPECT_EQ(tool.gateway.Asked(kListRecords).back().filter().principal(),
            "agency/audit-office/person/wang");
}

TEST(AuditCommandsTest, MistakesAskNobodyAndRepeatNoIdentifier) {
  Tool tool;
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--subject", "990101195001013019"},
                                             {"--subject", "CN-RID:"},
                                             {"--subject", ":990101195001013019"},
                                             {"--certain"},
                                             {"--outcome", "good"},
                                             {"--reason", "WHY"},
                                             {"--kind", "odd"},
                                             {"--system", "relief"},
                                             {"--system", "a/b", "--person", "c/d"},
                                             {"--since", "2026-11-02", "--until", "2026-11-01"},
                                             {"--limit", "-1"}}) {
    std::vector<std::string> arguments = {"audit", "search"};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    const Ran ran = tool.Run(arguments);
    EXPECT_EQ(ran.code, 2) << wrong[0];
    EXPECT_THAT(ran.err + ran.out, Not(HasSubstr("990101195001013019")));
  }
  EXPECT_THAT(tool.gateway.Asked(kListRecords), IsEmpty());
}

TEST(AuditCommandsTest, ATableThatAlignsAndWhatWasReached) {
  Tool tool;
  v1::ListRecordsResponse page = RecordsPage(18344, 2, "");
  page.mutable_records(1)->mutable_envelope()->mutable_actor()->set_principal(
      "agency/民政局/system/救助");
  page.mutable_records(0)->set_subject_match(v1::SUBJECT_MATCH_RELEASED);
  page.mutable_records(1)->set_subject_match(v1::SUBJECT_MATCH_POSSIBLY);
  page.set_log_records(18400);
  page.set_erased(1200);
  tool.gateway.Answer(kListRecords, page);
  const Ran ran = tool.Run({"audit", "search", "--subject", "CN-RID:990101195001013019"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(" 18344 │ 11-23 14:00:00 │ civil-affairs/relief │ "
                                 "public-security/persons │ relief  │ released │    3 │ let go\n"));
  EXPECT_THAT(ran.out,
              HasSubstr(" 18343 │ 11-23 14:00:00 │ 民政局/救助          │ "
                        "public-security/persons │ relief  │ released │    3 │ possibly\n"));
  EXPECT_THAT(ran.err, HasSubstr("2 records · searched #0 to #18344, complete · this reading is "
                                 "#18346\n"));
  EXPECT_THAT(ran.err, HasSubstr("the search index is 55 records behind the log"));
  EXPECT_THAT(ran.err, HasSubstr("1,200 records of these months have no details any more"));
}

TEST(AuditCommandsTest, PagesFollowEachOtherOrAreTakenUp) {
  Tool tool;
  tool.gateway.On(kListRecords, [](const v1::ListRecordsRequest& request) {
    return request.page_token().empty() ? RecordsPage(9, 2, "next") : RecordsPage(7, 2, "");
  });
  const Ran all = tool.Run({"--format", "csv", "audit", "list", "--limit", "0"});
  EXPECT_EQ(all.code, 0);
  EXPECT_EQ(all.out,
            "#,time +08:00,consumer,dataset,purpose,outcome,rows\r\n"
            "9,11-23 14:00:00,civil-affairs/relief,public-security/persons,relief,released,3\r\n"
            "8,11-23 14:00:00,civil-affairs/relief,public-security/persons,relief,released,3\r\n"
            "7,11-23 14:00:00,civil-affairs/relief,public-security/persons,relief,released,3\r\n"
            "6,11-23 14:00:00,civil-affairs/relief,public-security/persons,relief,released,3\r\n");
  const Ran lines = tool.Run({"--format", "json", "audit", "search", "--limit", "0"});
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 4);
  EXPECT_THAT(lines.out, StartsWith("{\"index\":9,"));
  const Ran one = tool.Run({"audit", "search", "--limit", "2"});
  EXPECT_THAT(one.err, HasSubstr("next page  --page-token next\n"));
  EXPECT_EQ(tool.gateway.Asked(kListRecords).back().page_size(), 2);
  tool.Run({"audit", "search", "--limit", "2", "--page-token", "next"});
  EXPECT_EQ(tool.gateway.Asked(kListRecords).back().page_token(), "next");
}

TEST(AuditCommandsTest, TailShowsWhatComesAndWhereToGoOn) {
  Tool tool;
  v1::TailResponse message;
  for (const int64_t index : {41, 42, 43}) *message.add_records() = Released(index);
  message.set_next_index(50);
  message.set_read_index(40);
  tool.gateway.Answer(kTail, message);
  const Ran ran = tool.Run({"audit", "tail", "--from", "7", "--purpose", "relief"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(tool.gateway.Asked(kTail).at(0).from(), 7);
  EXPECT_EQ(tool.gateway.Asked(kTail).at(0).filter().purpose(), "relief");
  EXPECT_THAT(ran.out, HasSubstr("       41  11-23 14:00:00  civil-affairs/relief        "
                                 "public-security/persons     relief        released"));
  EXPECT_THAT(ran.err, HasSubstr("this reading is #40\n"));
  EXPECT_THAT(ran.err, HasSubstr("to go on: --from 50\n"));

  const Ran two = tool.Run({"--format", "json", "audit", "tail", "--limit", "2"});
  EXPECT_EQ(two.code, 0) << two.err;
  EXPECT_EQ(std::count(two.out.begin(), two.out.end(), '\n'), 2);
  EXPECT_THAT(two.err, HasSubstr("to go on: --from 43\n"));
  EXPECT_FALSE(tool.gateway.Asked(kTail).at(1).has_from());

  const Ran csv = tool.Run({"--format", "csv", "audit", "tail"});
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 4);
  EXPECT_THAT(csv.out, StartsWith("#,time +08:00,consumer,"));

  tool.gateway.Refuse(kTail, Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining."));
  EXPECT_THAT(tool.Run({"audit", "tail"}).err, HasSubstr("SHUTTING_DOWN"));
}

TEST(AuditCommandsTest, RebuildingWaitsUntilTheIndexHasAll) {
  Tool tool;
  tool.err_is_terminal = true;
  v1::RebuildIndexResponse begun;
  begun.set_log_records(20'000);
  begun.set_change_index(19'999);
  tool.gateway.Answer(kRebuildIndex, begun);
  int64_t records = 0;
  tool.gateway.On(kGetStatus, [&records](const v1::GetStatusRequest&) {
    v1::GetStatusResponse status;
    status.set_index_records(records);
    records += 10'000;
    return status;
  });
  const Ran ran = tool.Run({"audit", "rebuild-index"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(tool.gateway.Asked(kGetStatus).size(), 3u);
  EXPECT_THAT(ran.err, HasSubstr("] 50%"));
  EXPECT_EQ(ran.out, "index   made anew from 20,000 records\nrecord  #19999\n");
}

}  // namespace
}  // namespace sluice::cli
