#include "gateway/identity/differences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/v1/registry.pb.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DifferencesTest, ALineADifference) {
  v1::Grant before;
  before.set_row_filter("a = 1");
  before.add_purposes("relief");
  before.add_fields()->set_name("gone");
  before.add_fields()->set_name("kept");
  before.mutable_quota()->set_rows_per_day(10);
  v1::Grant after;
  after.add_purposes("relief");
  after.add_purposes("census");
  after.add_fields()->set_name("kept");
  after.mutable_fields(0)->set_filter(v1::MASKED_FILTER_EXACT);
  after.add_fields()->set_name("new");
  after.mutable_fields(1)->set_filter(v1::MASKED_FILTER_MASKED_VALUE);
  after.add_modes(v1::MODE_QUERY);
  after.set_end_user_required(true);
  after.mutable_expires()->set_seconds(1'800'000'000);
  EXPECT_THAT(
      Differences(before, after),
      ElementsAre("purposes: [relief] -> [relief, census]", "fields.gone: removed",
                  "fields.kept.filter: none -> exact", "fields.new: added",
                  "fields.new.filter: none -> masked_value", "row_filter: a = 1 -> none",
                  "modes: none -> [query]", "quota.rows_per_day: 10 -> 0",
                  "expires: none -> 2027-01-15T08:00:00Z", "end_user_required: false -> true"));
}

TEST(DifferencesTest, WhatTheGatewaySetsIsNone) {
  v1::Grant before;
  before.set_revision(1);
  before.set_etag("x");
  before.set_changed_by("a");
  v1::Grant after;
  after.set_revision(2);
  after.mutable_changed()->set_seconds(1);
  EXPECT_THAT(Differences(before, after), IsEmpty());
}

TEST(DifferencesTest, AnotherOrderIsADifference) {
  v1::Grant before;
  for (const char* name : {"a", "b", "c"}) before.add_fields()->set_name(name);
  v1::Grant after;
  for (const char* name : {"c", "a"}) after.add_fields()->set_name(name);
  EXPECT_THAT(Differences(before, after), ElementsAre("fields: other order", "fields.b: removed"));
}

TEST(DifferencesTest, SettingsAreToldOneByOne) {
  v1::Source before;
  (*before.mutable_settings())["file"] = "/a";
  (*before.mutable_settings())["old"] = "x";
  v1::Source after;
  (*after.mutable_settings())["file"] = "/b";
  (*after.mutable_settings())["new"] = "y";
  EXPECT_THAT(
      Differences(before, after),
      ElementsAre("settings.file: /a -> /b", "settings.new: none -> y", "settings.old: x -> none"));
}

TEST(DifferencesTest, ShortTextsStandForMessages) {
  v1::Grant before;
  before.add_fields()->set_name("a");
  v1::Grant after = before;
  after.mutable_fields(0)->mutable_mask()->set_kind(v1::MASK_KIND_NULL);
  const MessageText text = [](const google::protobuf::Message& message) {
    return message.GetDescriptor() == v1::Mask::descriptor() ? std::optional<std::string>("M")
                                                             : std::nullopt;
  };
  EXPECT_THAT(Differences(before, after, text), ElementsAre("fields.a.mask: none -> M"));
}

}  // namespace
}  // namespace sluice::identity
