// Requests cross the wire whole, or are refused.
#include "adapters/remote/messages.h"

#include <gtest/gtest.h>

#include "gateway/records/predicate.h"

namespace sluice::adapters::remote {
namespace {

using records::Op;
using records::Predicate;
using records::TypeId;

ScanRequest WholeRequest() {
  ScanRequest request;
  request.table = "t";
  request.fields = {{"B", {"b", {TypeId::kBool}}},
                    {"I", {"i", {TypeId::kInt64}, false}},
                    {"F", {"f", {TypeId::kFloat64}}},
                    {"D", {"d", {TypeId::kDecimal128, 38, 4}}},
                    {"Y", {"y", {TypeId::kDate32}}},
                    {"U", {"u", {TypeId::kTimestamp, 0, 0, true}}},
                    {"L", {"l", {TypeId::kTimestamp, 0, 0, false}}},
                    {"T", {"t", {TypeId::kUtf8}}},
                    {"X", {"x", {TypeId::kBinary}}}};
  request.key = {1, 7};
  request.after = KeyPosition{int64_t{-3}, std::monostate()};
  request.rows_wanted = 12;
  request.on_bad_value = OnBadValue::kNullAndCount;
  request.predicate = {Op::kAnd,
                       -1,
                       {},
                       {{Op::kEqual, 0, {true}, {}},
                        {Op::kIn, 1, {INT64_MIN, INT64_MAX}, {}},
                        {Op::kNot, -1, {}, {{Op::kIsNull, 2, {}, {}}}},
                        {Op::kOr,
                         -1,
                         {},
                         {{Op::kLess, 3, {records::Decimal128{-12'345}}, {}},
                          {Op::kGreater, 4, {int32_t{-719'162}}, {}},
                          {Op::kNotEqual, 5, {int64_t{-1}}, {}},
                          {Op::kLessOrEqual, 6, {int64_t{253'402'300'799'999'999}}, {}},
                          {Op::kStartsWith, 7, {std::string("a\0b", 3)}, {}},
                          {Op::kGreaterOrEqual, 8, {std::string("\xff\0", 2)}, {}},
                          {Op::kFalse, -1, {}, {}}}}}};
  return request;
}

TEST(MessagesTest, ARequestComesAsItWent) {
  const v1::ScanRequest sent = ToProto(WholeRequest(), "cases");
  EXPECT_EQ(sent.source(), "cases");
  const auto received = FromProto(sent);
  ASSERT_TRUE(received.ok()) << received.status();
  EXPECT_EQ(ToProto(*received, "cases").SerializeAsString(), sent.SerializeAsString());
  EXPECT_EQ(received->key, WholeRequest().key);
  EXPECT_EQ(received->after, WholeRequest().after);
  EXPECT_EQ(received->predicate.children[3].children[0].values,
            WholeRequest().predicate.children[3].children[0].values);
  EXPECT_EQ(received->predicate.children[3].children[2].values,
            WholeRequest().predicate.children[3].children[2].values);
}

TEST(MessagesTest, APredicateTooDeepOrTooLargeIsLeftOut) {
  ScanRequest request = WholeRequest();
  request.predicate = {Op::kIsNull, 0, {}, {}};
  for (int i = 0; i < 200; ++i) {
    Predicate deeper{Op::kNot, -1, {}, {}};
    deeper.children.push_back(std::move(request.predicate));
    request.predicate = std::move(deeper);
  }
  EXPECT_FALSE(ToProto(request, "s").has_predicate());
  request.predicate = {Op::kEqual, 7, {std::string(kMostRequestBytes, 'x')}, {}};
  EXPECT_FALSE(ToProto(request, "s").has_predicate());
}

TEST(MessagesTest, RequestsThatAreNoneAreRefused) {
  using Change = void (*)(v1::ScanRequest&);
  const std::vector<std::pair<const char*, Change>> changes = {
      {"no fields", [](v1::ScanRequest& r) { r.clear_fields(); }},
      {"a type that is none", [](v1::ScanRequest& r) { r.mutable_fields(0)->clear_type(); }},
      {"a key outside", [](v1::ScanRequest& r) { r.set_key(0, 9); }},
      {"a key below", [](v1::ScanRequest& r) { r.set_key(0, -1); }},
      {"a key twice", [](v1::ScanRequest& r) { r.set_key(0, 7); }},
      {"a position too long", [](v1::ScanRequest& r) { r.mutable_after()->add_values(); }},
      {"a position of another type",
       [](v1::ScanRequest& r) { r.mutable_after()->mutable_values(0)->set_bytes_value("x"); }},
      {"an operator that is none",
       [](v1::ScanRequest& r) { r.mutable_predicate()->set_op(v1::PREDICATE_OP_UNSPECIFIED); }},
      {"a field that is none",
       [](v1::ScanRequest& r) { r.mutable_predicate()->mutable_children(0)->set_field(9); }},
      {"no value",
       [](v1::ScanRequest& r) { r.mutable_predicate()->mutable_children(0)->clear_values(); }},
      {"two values",
       [](v1::ScanRequest& r) {
         *r.mutable_predicate()->mutable_children(0)->add_values() =
             r.predicate().children(0).values(0);
       }},
      {"a null",
       [](v1::ScanRequest& r) {
         r.mutable_predicate()->mutable_children(0)->mutable_values(0)->clear_kind();
       }},
      {"a NOT of nothing",
       [](v1::ScanRequest& r) { r.mutable_predicate()->mutable_children(2)->clear_children(); }},
      {"rows below zero", [](v1::ScanRequest& r) { r.set_rows_wanted(-1); }}};
  for (const auto& [what, change] : changes) {
    v1::ScanRequest request = ToProto(WholeRequest(), "s");
    change(request);
    EXPECT_TRUE(absl::IsInvalidArgument(FromProto(request).status())) << what;
  }
}

TEST(MessagesTest, DescriptionsComeAsTheyWent) {
  TableDescription table;
  table.table = "people";
  table.columns = {{"id", {TypeId::kInt64}, false, "NUMBER(10)"},
                   {"pay", {TypeId::kDecimal128, 12, 2}, true, "NUMBER(12,2)"}};
  table.unique_keys = {{"id"}, {"pay", "id"}};
  table.snapshot = true;
  table.version = {"v1", Micros{1'790'000'000'123'456}};
  table.note = "a drop is held back";
  table.rows = 7;
  const auto received = FromProto(ToProto(table));
  ASSERT_TRUE(received.ok()) << received.status();
  EXPECT_EQ(received->note, table.note);
  EXPECT_EQ(received->rows, 7);
  EXPECT_EQ(received->columns[1].type, table.columns[1].type);
  EXPECT_EQ(received->columns[0].source_type, "NUMBER(10)");
  EXPECT_FALSE(received->columns[0].nullable);
  EXPECT_EQ(received->unique_keys, table.unique_keys);
  EXPECT_TRUE(received->snapshot);
  EXPECT_EQ(received->version, table.version);
}

TEST(MessagesTest, NotesOfAProcessAreBounded) {
  v1::ProbeResponse response;
  for (int i = 0; i < 100; ++i) response.add_notes(std::string(5'000, 'x'));
  const auto notes = NotesOf(response);
  EXPECT_EQ(notes.size(), 32u);
  EXPECT_EQ(notes[0].size(), 1'000u);
}

}  // namespace
}  // namespace sluice::adapters::remote
