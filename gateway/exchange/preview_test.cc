// Previews: an owner sees a few rows as the consumer would.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/catalogue/mask_spec.h"
#include "gateway/exchange/exchange_testing.h"
#include "gateway/records/row_batch.h"

namespace sluice::exchange {
namespace {

class PreviewTest : public ::testing::Test {
 protected:
  PreviewTest() {
    exchange_.ps.SetRows(Persons(8));
    preview_.access_request = "r-7q4m2k";
    preview_.grant = exchange_.grants["persons1"];
    preview_.grant.clear_id();
    *preview_.grant.mutable_fields(1)->mutable_mask() = *catalogue::ParseMask("partial(1..0)");
  }
  absl::StatusOr<v1::QueryResponse> Show() {
    PendingQuery pending;
    pending.cancel = exchange_.broker->Show(
        exchange_.CallByPerson("public-security", {v1::ROLE_OWNER}), preview_, pending.Done());
    return pending.Wait();
  }

  Exchange exchange_;
  Preview preview_;
};

TEST_F(PreviewTest, ShowsAFewMaskedRowsAndIsRecorded) {
  exchange_.grants.erase("persons1");  // the agency holds nothing yet
  exchange_.Publish();
  const auto shown = Show();
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->rows(), 3);
  EXPECT_EQ(shown->next_page_token(), "");
  v1::RowBatch batch;
  ASSERT_TRUE(batch.ParseFromString(shown->payload()));
  ASSERT_EQ(batch.rows_size(), 3);
  EXPECT_THAT(batch.rows(0).values(1).string_value(), ::testing::EndsWith("*"));
  EXPECT_EQ(shown->applied().fields(1).mask().kind(), v1::MASK_KIND_PARTIAL);

  EXPECT_TRUE(exchange_.Records(v1::RECORD_KIND_RELEASED).empty());
  const auto records = exchange_.Records(v1::RECORD_KIND_PREVIEWED);
  ASSERT_EQ(records.size(), 1u);
  const v1::AuditEnvelope& envelope = records[0].envelope;
  EXPECT_EQ(records[0].index, shown->receipt().index());
  EXPECT_EQ(envelope.actor().principal(), "agency/public-security/person/li-na");
  EXPECT_EQ(envelope.resource_kind(), "access_request");
  EXPECT_EQ(envelope.resource_name(), "r-7q4m2k");
  EXPECT_EQ(envelope.dataset(), "public-security/persons");
  EXPECT_EQ(envelope.count(), 3);
  EXPECT_EQ(envelope.digest(), std::string(AsBytes(Sha256(shown->payload()))));
  // Whom it saw.
  EXPECT_EQ(envelope.subjects_released(), v1::SUBJECT_SCOPE_LISTED);
}

TEST_F(PreviewTest, CountsAgainstNoQuotaAndAsksForNoClaims) {
  preview_.grant.mutable_quota()->set_rows_total(1);
  preview_.grant.set_case_reference_required(true);
  preview_.grant.set_end_user_required(true);
  preview_.grant.mutable_not_before()->set_seconds((exchange_.clock.Now() + kDay) / kSecond);
  preview_.grant.clear_modes();
  preview_.grant.add_modes(v1::MODE_READ);
  preview_.rows = 5;
  for (int i = 0; i < 2; ++i) {
    const auto shown = Show();
    ASSERT_TRUE(shown.ok()) << shown.status();
    EXPECT_EQ(shown->rows(), 5);
  }
}

TEST_F(PreviewTest, WhereTheKeyIsHiddenAFewRowsAreShownAllTheSame) {
  preview_.grant.mutable_fields()->DeleteSubrange(0, 1);
  const auto shown = Show();
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->rows(), 3);
}

TEST_F(PreviewTest, OnlyRowsThatTheGrantWouldShow) {
  preview_.grant.set_row_filter("district = 'none'");
  const auto shown = Show();
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->rows(), 0);
}

TEST_F(PreviewTest, NothingOfASuspendedDatasetIsShownAndTheRefusalIsRecorded) {
  exchange_.datasets["public-security/persons"].set_state(v1::DATASET_STATE_SUSPENDED);
  exchange_.Publish();
  EXPECT_EQ(ReasonOf(Show().status()), v1::REASON_DATASET_SUSPENDED);
  const auto denied = exchange_.Records(v1::RECORD_KIND_DENIED);
  ASSERT_EQ(denied.size(), 1u);
  EXPECT_EQ(denied[0].envelope.actor().principal(), "agency/public-security/person/li-na");
}

TEST_F(PreviewTest, WhatCannotBeRecordedIsNotShown) {
  exchange_.files->Inject({.at = exchange_.files->Operations().size()});
  EXPECT_EQ(ReasonOf(Show().status()), v1::REASON_AUDIT_UNAVAILABLE);
}

}  // namespace
}  // namespace sluice::exchange
