// What an operator sees of the sources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::ListSourcesResponse TwoSources() {
  v1::ListSourcesResponse answer;
  for (const char* id : {"ps-register", "tr-fines"}) {
    v1::Source& source = *answer.add_sources();
    source.set_id(id);
    source.set_owner_agency("public-security");
    source.set_kind("postgres");
  }
  answer.mutable_sources(1)->add_closed("Mon-Fri 22:00-02:00");
  return answer;
}

TEST(SourceTest, TheListSaysHowEachIsDoing) {
  Tool tool;
  tool.gateway.Answer(kListSources, TwoSources());
  v1::GetStatusResponse status;
  v1::SourceStatus& fails = *status.add_sources();
  fails.set_source("ps-register");
  fails.set_breaker("open");
  v1::SourceStatus& closed = *status.add_sources();
  closed.set_source("tr-fines");
  closed.add_notes("table 'fines': the drop 'b.csv' is held back");
  *closed.mutable_closed_until() = At("2026-11-24T02:00:00+08:00");
  tool.gateway.Answer(kGetStatus, status);
  const Ran ran = tool.Run({"source", "list"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("│ does not answer "));
  EXPECT_THAT(ran.out, HasSubstr("│ closed until 2026-11-24 02:00:00 +08:00 │"));
  EXPECT_THAT(ran.out, HasSubstr("│ Mon-Fri 22:00-02:00\n"));
  EXPECT_THAT(ran.out, HasSubstr("tr-fines: table 'fines': the drop 'b.csv' is held back\n"));
}

TEST(SourceTest, AProbeFailsWhereOneDoesNotAnswer) {
  Tool tool;
  tool.gateway.Answer(kListSources, TwoSources());
  v1::ProbeSourceResponse answer;
  answer.set_source("ps-register");
  answer.set_kind("postgres");
  answer.set_reachable(true);
  answer.set_took_us(2'300);
  tool.gateway.Answer(kProbeSource, answer);
  answer.add_notes("table 'fines': the drop 'b.csv' is held back");
  tool.gateway.Answer(kProbeSource, answer);
  const Ran well = tool.Run({"source", "probe"});
  EXPECT_THAT(well.out, HasSubstr("ps-register: table 'fines': the drop 'b.csv' is held back\n"));
  EXPECT_EQ(well.code, 0) << well.err;
  EXPECT_THAT(well.out, HasSubstr(" ps-register │ postgres │ yes     │ 3 ms │"));
  EXPECT_EQ(tool.gateway.Asked(kProbeSource).size(), 2u);
  answer.set_reachable(false);
  answer.set_reason("SOURCE_UNAVAILABLE");
  answer.set_failure("the server does not answer.");
  answer.set_note("password authentication failed");
  tool.gateway.Answer(kProbeSource, answer);
  const Ran ran = tool.Run({"source", "probe", "ps-register"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("the server does not answer. password authentication failed"));
  EXPECT_THAT(ran.err, HasSubstr("source ps-register cannot be read."));
}

TEST(SourceTest, ADefinitionInAFileIsTriedWithoutApplyingIt) {
  Tool tool;
  tool.Write("new.yaml",
             "source: new\nowner: public-security\nkind: sqlite\nfile: /srv/x.db\n"
             "closed: [\"22:00-02:00\"]\ntime_zone: \"+08:00\"\n");
  v1::CheckSourceResponse answer;
  v1::SourceFinding& finding = *answer.add_findings();
  finding.set_check("order");
  finding.set_outcome(v1::FINDING_OUTCOME_FAILS);
  finding.set_words("row 3 has the key of the row before it");
  tool.gateway.Answer(kCheckSource, answer);
  const Ran ran =
      tool.Run({"source", "check", "--file", "new.yaml", "resident", "--key", "county,id"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr(" resident │ order │ FAILS "));
  EXPECT_THAT(ran.err, HasSubstr("1 of 1 checks fail"));
  const v1::CheckSourceRequest asked = tool.gateway.Asked(kCheckSource)[0];
  EXPECT_EQ(asked.source().definition().closed(0), "22:00-02:00");
  EXPECT_EQ(asked.table(), "resident");
  EXPECT_EQ(asked.key_size(), 2);
  EXPECT_EQ(tool.Run({"source", "check", "ps", "resident", "--file", "new.yaml"}).code, 2);
  EXPECT_EQ(tool.Run({"source", "check"}).code, 2);
}

TEST(SourceTest, ADescribedTableIsADraft) {
  Tool tool;
  v1::DescribeSourceResponse answer;
  answer.set_source("ps-register");
  answer.set_kind("postgres");
  answer.set_owner_agency("public-security");
  v1::TableDescription& table = *answer.add_tables();
  table.set_table("居民");
  v1::ColumnDescription& column = *table.add_columns();
  column.set_name("id");
  column.mutable_type()->set_type(v1::FIELD_TYPE_INT64);
  column.set_source_type("bigint");
  tool.gateway.Answer(kDescribeSource, answer);
  EXPECT_THAT(tool.Run({"source", "describe", "ps-register"}).out,
              HasSubstr(" 居民  │       1 │ none │ not known │ no       │ not told\n"));
  table.set_rows(42);
  table.set_note("table '居民': the drop 'b.csv' is held back");
  tool.gateway.Answer(kDescribeSource, answer);
  const Ran listed = tool.Run({"source", "describe", "ps-register"});
  EXPECT_THAT(listed.out, HasSubstr(" 居民  │       1 │ none │   42 │ no "));
  EXPECT_THAT(listed.out, HasSubstr("ps-register: table '居民': the drop 'b.csv' is held back\n"));
  const Ran draft = tool.Run({"source", "describe", "ps-register", "居民"});
  EXPECT_EQ(draft.code, 0) << draft.err;
  EXPECT_THAT(draft.out, HasSubstr("  - {name: id, type: int64, class: L4}  # bigint\n"));
  tool.terminal = false;
  EXPECT_THAT(tool.Run({"source", "describe", "ps-register", "居民"}).out,
              HasSubstr("from: {table: \"居民\"}\n"))
      << "into a file, too";
  EXPECT_THAT(tool.Run({"--format", "json", "source", "describe", "ps-register", "居民"}).out,
              Not(HasSubstr("from:")));
}

}  // namespace
}  // namespace sluice::cli
