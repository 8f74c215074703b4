// What an adapter process may send, and what not.
#include "adapters/remote/checker.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "adapters/remote/messages.h"
#include "adapters/remote/process_testing.h"
#include "gateway/base/error.h"
#include "gateway/records/row_batch.h"

namespace sluice::adapters::remote {
namespace {

using records::TypeId;

v1::Reason ReasonOfTaking(const ScanRequest& request, v1::ScanResponse message) {
  Checker checker(request);
  return ReasonOf(checker.Take(message).status());
}

// One column of a type, with these values.
records::RecordBatch OneColumn(const std::string& name, records::ColumnBuilder& values) {
  const records::DataType type = values.type();
  const int64_t rows = values.length();
  std::vector<records::Column> columns;
  columns.push_back(values.Finish());
  return records::RecordBatch(
      std::make_shared<const records::Schema>(std::vector<records::Field>{{name, type}}),
      std::move(columns), rows);
}

ScanRequest OneField(const std::string& name, records::DataType type) {
  ScanRequest request;
  request.table = "t";
  request.fields = {{name, {name, type}}};
  return request;
}

TEST(CheckerTest, TakesWhatWasAskedForInBothForms) {
  const ScanRequest request = PeopleRequest();
  Checker checker(request);
  v1::ScanResponse arrow = Sent(People({1, 2}));
  const auto first = checker.Take(arrow);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)->batch.rows(), 2);
  v1::ScanResponse rows;
  rows.set_rows(records::EncodeRowBatch(People({3, 4, 5})));
  const auto second = checker.Take(rows);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*second)->batch.column(1).Bytes(2), "人5");
  EXPECT_EQ(checker.rows(), 5);
  EXPECT_EQ(checker.position(), KeyPosition{int64_t{5}});
}

TEST(CheckerTest, AMessageMayHaveNoBatch) {
  const ScanRequest request = PeopleRequest();
  Checker checker(request);
  v1::ScanResponse empty;
  const auto taken = checker.Take(empty);
  ASSERT_TRUE(taken.ok());
  EXPECT_FALSE(taken->has_value());
}

TEST(CheckerTest, OtherColumnsThanAskedForAreSchemaDrift) {
  const v1::ScanResponse sent = Sent(People({1}));
  ScanRequest request = PeopleRequest();
  request.fields[0].field.name = "number";
  EXPECT_EQ(ReasonOfTaking(request, sent), v1::REASON_SCHEMA_DRIFT) << "another name";
  request = PeopleRequest();
  request.fields[1].field.type = {TypeId::kBinary};
  EXPECT_EQ(ReasonOfTaking(request, sent), v1::REASON_SCHEMA_DRIFT) << "another type";
  request = PeopleRequest();
  request.fields.push_back({"AGE", {"age", {TypeId::kInt64}}});
  EXPECT_EQ(ReasonOfTaking(request, sent), v1::REASON_SCHEMA_DRIFT) << "one too few";
  request = PeopleRequest();
  std::swap(request.fields[0], request.fields[1]);
  EXPECT_EQ(ReasonOfTaking(request, sent), v1::REASON_SCHEMA_DRIFT) << "in another order";
}

TEST(CheckerTest, RowsOutOfTheKeysOrderAreNoPage) {
  const ScanRequest request = PeopleRequest();
  EXPECT_EQ(ReasonOfTaking(request, Sent(People({1, 3, 2}))), v1::REASON_SCHEMA_DRIFT);
  EXPECT_EQ(ReasonOfTaking(request, Sent(People({1, 1}))), v1::REASON_SCHEMA_DRIFT) << "twice";
  ScanRequest behind = PeopleRequest();
  behind.after = KeyPosition{int64_t{5}};
  EXPECT_EQ(ReasonOfTaking(behind, Sent(People({5}))), v1::REASON_SCHEMA_DRIFT) << "again";
  EXPECT_EQ(ReasonOfTaking(behind, Sent(People({4}))), v1::REASON_SCHEMA_DRIFT) << "before it";
  EXPECT_EQ(ReasonOfTaking(behind, Sent(People({6}))), v1::REASON_UNSPECIFIED);
  ScanRequest any = PeopleRequest();
  any.key.clear();
  EXPECT_EQ(ReasonOfTaking(any, Sent(People({3, 1, 1}))), v1::REASON_UNSPECIFIED);
}

TEST(CheckerTest, OrderHoldsFromOneBatchToTheNext) {
  const ScanRequest request = PeopleRequest();
  Checker checker(request);
  v1::ScanResponse first = Sent(People({1, 9})), second = Sent(People({9, 10}));
  ASSERT_TRUE(checker.Take(first).ok());
  EXPECT_EQ(ReasonOf(checker.Take(second).status()), v1::REASON_SCHEMA_DRIFT);
}

TEST(CheckerTest, NullsComeFirstAndNaNHasNoPlace) {
  ScanRequest request = OneField("x", {TypeId::kFloat64});
  request.key = {0};
  records::ColumnBuilder values({TypeId::kFloat64});
  values.AppendNull();
  values.AppendFloat64(-1);
  EXPECT_EQ(ReasonOfTaking(request, Sent(OneColumn("x", values))), v1::REASON_UNSPECIFIED);
  values.AppendFloat64(1);
  values.AppendNull();
  EXPECT_EQ(ReasonOfTaking(request, Sent(OneColumn("x", values))), v1::REASON_SCHEMA_DRIFT);
  values.AppendFloat64(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(ReasonOfTaking(request, Sent(OneColumn("x", values))), v1::REASON_SCHEMA_DRIFT);
}

TEST(CheckerTest, BatchesAreBounded) {
  ScanRequest request = PeopleRequest();
  request.key.clear();
  EXPECT_EQ(ReasonOfTaking(request, Sent(People({}))), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(ReasonOfTaking(request, Sent(People(std::vector<int64_t>(kMostRows)))),
            v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonOfTaking(request, Sent(People(std::vector<int64_t>(kMostRows + 1)))),
            v1::REASON_SOURCE_UNAVAILABLE);
  const ScanRequest blobs = OneField("x", {TypeId::kBinary});
  records::ColumnBuilder values({TypeId::kBinary});
  values.AppendBytes(std::string(kMostBatchBytes, 'x'));
  EXPECT_EQ(ReasonOfTaking(blobs, Sent(OneColumn("x", values))), v1::REASON_UNSPECIFIED)
      << "one row may be as large as a message";
  values.AppendBytes(std::string(kMostBatchBytes / 2, 'x'));
  values.AppendBytes(std::string(kMostBatchBytes / 2, 'x'));
  EXPECT_EQ(ReasonOfTaking(blobs, Sent(OneColumn("x", values))), v1::REASON_SOURCE_UNAVAILABLE);
}

TEST(CheckerTest, BytesThatAreNoBatchAreAnError) {
  const ScanRequest request = PeopleRequest();
  const std::string whole = ArrowOf(People({1, 2, 3}));
  for (size_t length = 0; length < whole.size(); ++length) {
    v1::ScanResponse message;
    message.set_arrow(whole.substr(0, length));
    EXPECT_EQ(ReasonOfTaking(request, message), v1::REASON_SOURCE_UNAVAILABLE) << length;
  }
  v1::ScanResponse message;
  message.set_arrow(whole + whole);
  EXPECT_EQ(ReasonOfTaking(request, message), v1::REASON_SOURCE_UNAVAILABLE) << "goes on";
  message.set_rows(whole);
  EXPECT_EQ(ReasonOfTaking(request, message), v1::REASON_SOURCE_UNAVAILABLE) << "other form";
}

TEST(CheckerTest, WhatThePeerSaidIsForTheOperatorAlone) {
  const ScanRequest request = PeopleRequest();
  v1::ScanResponse message;
  message.set_arrow("nonsense");
  Checker checker(request);
  const absl::Status status = checker.Take(message).status();
  EXPECT_TRUE(absl::StrContains(OperatorNoteOf(status), "Arrow")) << OperatorNoteOf(status);
  EXPECT_FALSE(absl::StrContains(status.message(), "Arrow")) << status;
}

TEST(CheckerTest, NullsAndDatesAreHeldAgainstTheRequest) {
  ScanRequest request = OneField("day", {TypeId::kDate32});
  records::ColumnBuilder days({TypeId::kDate32});
  days.AppendDate32(records::kMaxDate32);
  days.AppendDate32(records::kMaxDate32 + 1);
  Checker checker(request);
  v1::ScanResponse message = Sent(OneColumn("day", days));
  const absl::Status status = checker.Take(message).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_EQ(ErrorInfoOf(status)->metadata().at("row"), "2");
  EXPECT_EQ(ErrorInfoOf(status)->metadata().at("field"), "day");
  request.fields[0].field.nullable = false;
  days.AppendDate32(0);
  days.AppendNull();
  EXPECT_EQ(ReasonOfTaking(request, Sent(OneColumn("day", days))), v1::REASON_SOURCE_BAD_VALUE);
}

TEST(CheckerTest, BadCellsAreNullsOfTheBatch) {
  ScanRequest request = PeopleRequest();
  request.on_bad_value = OnBadValue::kNullAndCount;
  records::ColumnBuilder id({TypeId::kInt64}), name({TypeId::kUtf8});
  id.AppendInt64(1);
  name.AppendNull();
  id.AppendInt64(2);
  name.AppendBytes("x");
  std::vector<records::Column> columns;
  columns.push_back(id.Finish());
  columns.push_back(name.Finish());
  const records::RecordBatch batch(People({}).schema(), std::move(columns), 2);
  struct Case {
    int64_t row;
    int field;
    v1::Reason reason;
  };
  const std::vector<Case> cases = {
      {0, 1, v1::REASON_UNSPECIFIED},         {1, 1, v1::REASON_SOURCE_UNAVAILABLE},
      {0, 0, v1::REASON_SOURCE_UNAVAILABLE},  {2, 1, v1::REASON_SOURCE_UNAVAILABLE},
      {-1, 1, v1::REASON_SOURCE_UNAVAILABLE}, {0, 2, v1::REASON_SOURCE_UNAVAILABLE},
      {0, -1, v1::REASON_SOURCE_UNAVAILABLE}};
  for (const Case& one : cases) {
    v1::ScanResponse message = Sent(batch);
    v1::BadCell& cell = *message.add_bad_cells();
    cell.set_row(one.row);
    cell.set_field(one.field);
    EXPECT_EQ(ReasonOfTaking(request, message), one.reason) << one.row << ", " << one.field;
  }
  v1::ScanResponse twice = Sent(batch);
  for (int i = 0; i < 2; ++i) twice.add_bad_cells()->set_field(1);
  EXPECT_EQ(ReasonOfTaking(request, twice), v1::REASON_SOURCE_UNAVAILABLE);
  request.on_bad_value = OnBadValue::kStop;
  v1::ScanResponse not_asked = Sent(batch);
  not_asked.add_bad_cells()->set_field(1);
  EXPECT_EQ(ReasonOfTaking(request, not_asked), v1::REASON_SOURCE_UNAVAILABLE);
}

}  // namespace
}  // namespace sluice::adapters::remote
