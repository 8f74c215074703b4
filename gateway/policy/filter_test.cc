#include "gateway/policy/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/sanitized_testing.h"
#include "gateway/policy/filter_syntax.h"
#include "gateway/policy/policy_testing.h"

namespace sluice::policy {
namespace {

using records::Op;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class FilterTest : public ::testing::Test {
 protected:
  FilterTest() {
    context_.dataset = dataset_.get();
    context_.rule = [this](int field) {
      const auto found = rules_.find(dataset_->field(field).name());
      return found == rules_.end() ? FilterRule::kAny : found->second;
    };
    context_.masked_type = [](int) { return records::DataType{.id = records::TypeId::kUtf8}; };
    context_.masked_column = [](int field) { return field; };
  }

  void Set(const std::string& name, const std::vector<v1::Value>& values) {
    v1::ParameterValues& list = lists_[name];
    list.clear_values();
    for (const v1::Value& value : values) *list.add_values() = value;
    parameters_[name] = &list;
  }
  absl::StatusOr<BoundFilter> Bind(std::string_view text) {
    return BindFilter(text, parameters_, context_);
  }
  v1::Reason Refusal(std::string_view text) { return ReasonOf(Bind(text).status()); }

  catalogue::DatasetPtr dataset_ = MustCompile(PersonsDefinition());
  std::map<std::string, FilterRule> rules_;
  std::map<std::string, v1::ParameterValues> lists_;
  Parameters parameters_;
  FilterContext context_;
};

TEST_F(FilterTest, LiteralsAreOfTheFieldsType) {
  for (const char* text :
       {"points = -9223372036854775808", "score > 0.5", "score = -1e300", "active != true",
        "county >= 'x'", "county = \"\"", "seen < 2026-11-24T02:00:00.5Z",
        "seen = \"2026-11-24T02:00:00+08:00\"", "visited = 2026-11-24T02:00:00", "photo = null",
        "active = null", "starts_with(county, \"Dong\")"}) {
    const auto bound = Bind(text);
    EXPECT_TRUE(bound.ok()) << text << TextOf(bound.status());
  }
  for (const char* text : {"points = 9223372036854775808",
                           "points = 1.0",
                           "points = \"1\"",
                           "points = 0x10",
                           "points = true",
                           "points = -",
                           "score = \"0.5\"",
                           "score = 1e999",
                           "score = -inf",
                           "score = -nan",
                           "active = 1",
                           "active < true",
                           "active >= false",
                           "county = 1",
                           "county = true",
                           "seen = 2026-11-24",
                           "seen = 2026-11-24T02:00:00",
                           "seen = 2026-02-30T02:00:00Z",
                           "visited = 2026-11-24T02:00:00Z",
                           "photo = \"x\"",
                           "starts_with(points, \"1\")",
                           "starts_with(photo, \"1\")",
                           "starts_with(active, true)"}) {
    EXPECT_EQ(Refusal(text), v1::REASON_FILTER_INVALID) << text;
  }
}

TEST_F(FilterTest, ALiteralOnAPersonalFieldIsRefusedWhateverItLooksLike) {
  for (const char* text :
       {"id = \"110101199003074514\"", "name != \"110101199003074514\"", "born > 1990-01-01",
        "income = 110101199003", "starts_with(id, '110101')", "secret < \"110101\"",
        "points = 1 OR NOT (id = \"110101199003074514\")", "income = \"not a number 110101\"",
        "born = true"}) {
    const absl::Status status = Bind(text).status();
    EXPECT_EQ(ReasonOf(status), v1::REASON_FILTER_LITERAL_NOT_ALLOWED) << text;
    EXPECT_THAT(TextOf(status), Not(HasSubstr("110101"))) << text;
    EXPECT_THAT(TextOf(status), Not(HasSubstr("1990"))) << text;
  }
  // Whether there is a value at all is no value.
  EXPECT_TRUE(Bind("id = null OR name != null").ok());
  Set("x", {TextValue("110101199003074514")});
  EXPECT_TRUE(Bind("id = $x").ok());
}

TEST_F(FilterTest, ALiteralOnAMaskedPersonalFieldIsRefusedToo) {
  rules_["id"] = FilterRule::kMaskedValue;
  EXPECT_EQ(Refusal("starts_with(id, \"110\")"), v1::REASON_FILTER_LITERAL_NOT_ALLOWED);
  rules_["id"] = FilterRule::kExact;
  EXPECT_EQ(Refusal("id = \"110101199003074514\""), v1::REASON_FILTER_NOT_ALLOWED);
}

TEST_F(FilterTest, ALiteralThatNamesADataSubjectIsRefusedWhateverTheFieldsClass) {
  v1::Dataset definition = PersonsDefinition();
  definition.mutable_fields(0)->set_field_class(v1::FIELD_CLASS_L1_OPEN);
  dataset_ = MustCompile(definition);
  context_.dataset = dataset_.get();
  EXPECT_EQ(Refusal("id = \"110101199003074514\""), v1::REASON_FILTER_LITERAL_NOT_ALLOWED);
}

TEST_F(FilterTest, NoErrorRepeatsAValue) {
  Set("x", {TextValue("11010119900307451X")});
  for (const char* text :
       {"points = $x", "seen = $x", "active = $x", "income = $x", "county = 110101199003074514",
        "points = \"110101199003074514\"", "110101199003074514 = id", "id = 110101199003074514x",
        "id110101199003074514 = 1", "county = $x AND \"110101199003074514\"",
        "county = $x county = 110101199003074514", "photo = '110101199003074514'"}) {
    const absl::Status status = Bind(text).status();
    EXPECT_FALSE(status.ok()) << text;
    EXPECT_THAT(TextOf(status), Not(HasSubstr("1101"))) << text;
  }
  // Nor a parameter's name that may be a value.
  parameters_.clear();
  Set("110101199003074514", {TextValue("x")});
  const absl::Status status = Bind("").status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_PARAMETER_INVALID);
  EXPECT_THAT(TextOf(status), Not(HasSubstr("1101")));
}

TEST_F(FilterTest, ParametersAreCheckedAgainstTheirField) {
  EXPECT_EQ(Refusal("name = $n"), v1::REASON_PARAMETER_INVALID);  // missing
  Set("n", {});
  EXPECT_EQ(Refusal("name = $n"), v1::REASON_PARAMETER_INVALID);  // empty
  Set("n", {v1::Value()});
  EXPECT_EQ(Refusal("name = $n"), v1::REASON_PARAMETER_INVALID);  // null
  Set("n", {TextValue("a"), v1::Value()});
  EXPECT_EQ(Refusal("name = $n"), v1::REASON_PARAMETER_INVALID);
  Set("n", {IntValue(1)});
  EXPECT_EQ(Refusal("name = $n"), v1::REASON_PARAMETER_INVALID);  // another type
  Set("n", {TextValue("\xff")});
  EXPECT_EQ(Refusal("name = $n"), v1::REASON_PARAMETER_INVALID);  // no text
  Set("n", {TextValue("2026-02-30")});
  EXPECT_EQ(Refusal("born = $n"), v1::REASON_PARAMETER_INVALID);
  Set("n", {TextValue("1.234")});
  EXPECT_EQ(Refusal("income = $n"), v1::REASON_PARAMETER_INVALID);
  Set("n", {TextValue("a")});
  EXPECT_TRUE(Bind("name = $n").ok());
  EXPECT_EQ(Refusal("points = 1"), v1::REASON_PARAMETER_INVALID);  // unused
  EXPECT_EQ(Refusal(""), v1::REASON_PARAMETER_INVALID);
  const absl::Status status = Bind("points = 1").status();
  EXPECT_EQ(BadRequestOf(status)->field_violations(0).field(), "parameters[n]");
}

TEST_F(FilterTest, AListIsAnyOfUpToAThousand) {
  std::vector<v1::Value> values;
  for (int i = 0; i < 1000; ++i) values.push_back(IntValue(i));
  Set("list", values);
  const auto bound = Bind("points = $list");
  ASSERT_TRUE(bound.ok());
  EXPECT_EQ(bound->predicate.op, Op::kIn);
  EXPECT_THAT(bound->predicate.values, SizeIs(1000));
  for (const char* text : {"points != $list", "points < $list", "starts_with(county, $list)"})
    EXPECT_EQ(Refusal(text), v1::REASON_PARAMETER_INVALID) << text;
  // A list counts wherever it is used.
  EXPECT_TRUE(Bind("points=$list OR points=$list OR points=$list OR points=$list").ok());
  EXPECT_EQ(Refusal("points=$list OR points=$list OR points=$list OR points=$list OR points=1"),
            v1::REASON_PARAMETER_INVALID);
  values.push_back(IntValue(1000));
  Set("list", values);
  EXPECT_EQ(Refusal("points = $list"), v1::REASON_PARAMETER_INVALID);
}

TEST_F(FilterTest, AnExactFieldIsAskedForOneValueAtTheTopOnly) {
  rules_["id"] = FilterRule::kExact;
  Set("x", {TextValue("1")});
  EXPECT_TRUE(Bind("id = $x").ok());
  EXPECT_TRUE(Bind("(id = $x) AND (points > 1 OR points = null)").ok());
  EXPECT_TRUE(Bind("points > 1 AND (points < 9 AND (id = $x))").ok());
  for (const char* text :
       {"id != $x", "id < $x", "id <= $x", "id > $x", "id >= $x", "starts_with(id, $x)",
        "NOT (id = $x)", "NOT id = $x", "NOT NOT id = $x", "id = $x OR points = 1",
        "points = 1 AND (id = $x OR points = 2)", "NOT (points = 1 AND id = $x)", "id = null",
        "id != null", "points = 1 AND id = null", "id = \"1\"", "id = 1"}) {
    Set("x", {TextValue("1")});
    const absl::Status status = Bind(text).status();
    EXPECT_EQ(ReasonOf(status), v1::REASON_FILTER_NOT_ALLOWED) << text;
    EXPECT_EQ(ErrorInfoOf(status)->metadata().at("field"), "id");
  }
  Set("x", {TextValue("1"), TextValue("2")});
  EXPECT_EQ(Refusal("id = $x"), v1::REASON_FILTER_NOT_ALLOWED);
  Set("x", {});
  EXPECT_EQ(Refusal("id = $x"), v1::REASON_PARAMETER_INVALID);
}

TEST_F(FilterTest, FieldsThatMayNotBeFilteredOnAreRefusedInEveryShape) {
  const struct {
    FilterRule rule;
    v1::Reason reason;
  } rows[] = {{FilterRule::kNotAllowed, v1::REASON_FILTER_NOT_ALLOWED},
              {FilterRule::kNotGranted, v1::REASON_FIELD_NOT_GRANTED}};
  for (const auto& row : rows) {
    rules_["county"] = row.rule;
    for (const char* text :
         {"county = $x", "county != $x", "county < $x", "county >= $x", "county = null",
          "county != null", "starts_with(county, $x)", "NOT county = $x",
          "points = 1 OR county = $x", "points = 1 AND (points = 2 OR NOT (county = null))",
          "county = \"x\"", "county = 1"}) {
      Set("x", {TextValue("1")});
      EXPECT_EQ(Refusal(text), row.reason) << text;
      Set("x", {TextValue("1"), TextValue("2")});
      EXPECT_EQ(Refusal(text), row.reason) << text;
      parameters_.clear();
      EXPECT_EQ(Refusal(text), row.reason) << text;
    }
  }
}

TEST_F(FilterTest, AMaskedFieldIsBoundToItsMaskedColumnAndType) {
  rules_["points"] = FilterRule::kMaskedValue;
  const auto bound = Bind("points = \"1**\" AND score > 1");
  ASSERT_TRUE(bound.ok()) << bound.status();
  const int width = static_cast<int>(dataset_->schema->size());
  EXPECT_THAT(records::FieldsOf(bound->predicate), ElementsAre(6, width + 5));
  EXPECT_EQ(Refusal("points = 1"), v1::REASON_FILTER_INVALID);
  EXPECT_TRUE(Bind("starts_with(points, \"1\") AND points = null").ok());
}

TEST_F(FilterTest, WhoIsAskedAboutIsNoted) {
  Set("a", {TextValue("1"), TextValue("2")});
  const struct {
    const char* text;
    size_t asked;
    bool names;
  } rows[] = {{"id = $a", 2, true},
              {"id = $a AND points > 1", 2, true},
              {"id = $a OR points > 1", 2, false},
              {"NOT id = $a", 2, false},
              {"name = $a", 0, false}};
  for (const auto& row : rows) {
    const auto bound = Bind(row.text);
    ASSERT_TRUE(bound.ok()) << row.text;
    EXPECT_THAT(bound->asked, SizeIs(row.asked)) << row.text;
    EXPECT_EQ(bound->names_subjects, row.names) << row.text;
    const AskedAbout read = ReadAsked(row.text, parameters_, *dataset_);
    EXPECT_THAT(read.asked, SizeIs(row.asked)) << row.text;
    EXPECT_EQ(read.names_subjects, row.names) << row.text;
  }
  rules_["id"] = FilterRule::kMaskedValue;
  EXPECT_THAT(Bind("id = $a")->asked, IsEmpty());
}

TEST_F(FilterTest, WhatADeniedFilterAsksAboutIsBounded) {
  std::vector<v1::Value> values;
  for (int i = 0; i < 1000; ++i) values.push_back(TextValue(absl::StrCat(i)));
  Set("a", values);
  std::string text = "id=$a";
  for (int i = 1; i < kMaxFilterComparisons; ++i) text += " AND id=$a";
  const AskedAbout about = ReadAsked(text, parameters_, *dataset_);
  EXPECT_THAT(about.asked, SizeIs(4000));
  EXPECT_FALSE(about.names_subjects);
}

// Whatever the text and the parameters: a bound filter or one of the reasons, never a crash, and no
// secret value in the error.
TEST_F(FilterTest, MutatedFiltersAreBoundOrRefused) {
  std::mt19937_64 random(7);
  static constexpr std::string_view kFields[] = {"id",     "name",    "born",  "income", "county",
                                                 "points", "score",   "seen",  "active", "secret",
                                                 "photo",  "visited", "nobody"};
  static constexpr std::string_view kSigns[] = {"=", "!=", "<", "<=", ">", ">="};
  static constexpr std::string_view kOperands[] = {"$a",
                                                   "$b",
                                                   "$c",
                                                   "null",
                                                   "true",
                                                   "1",
                                                   "-0.5",
                                                   "\"SECRET\"",
                                                   "'SECRET'",
                                                   "2026-11-24",
                                                   "2026-11-24T00:00:00Z"};
  static constexpr FilterRule kRules[] = {FilterRule::kAny, FilterRule::kExact,
                                          FilterRule::kMaskedValue, FilterRule::kNotGranted,
                                          FilterRule::kNotAllowed};
  Set("a", {TextValue("SECRET")});
  Set("b", {IntValue(77123), IntValue(2)});
  std::function<std::string(int)> term = [&](int depth) -> std::string {
    const auto field = kFields[random() % std::size(kFields)];
    const auto operand = kOperands[random() % std::size(kOperands)];
    switch (depth > 3 ? 0 : random() % 5) {
      case 1:
        return absl::StrCat("NOT ", term(depth + 1));
      case 2:
        return absl::StrCat("(", term(depth + 1), " AND ", term(depth + 1), ")");
      case 3:
        return absl::StrCat("(", term(depth + 1), " OR ", term(depth + 1), ")");
      case 4:
        return absl::StrCat("starts_with(", std::string(field), ", ", std::string(operand), ")");
      default:
        return absl::StrCat(std::string(field), " ",
                            std::string(kSigns[random() % std::size(kSigns)]), " ",
                            std::string(operand));
    }
  };
  size_t bound = 0;
  for (size_t round = 0; round < 30'000; round += kSweepStep) {
    rules_.clear();
    for (const auto field : kFields)
      if (random() % 3 == 0) rules_[std::string(field)] = kRules[random() % std::size(kRules)];
    std::string text = term(random() % 4);
    if (random() % 8 == 0) text.erase(random() % text.size(), 1 + random() % 4);
    if (text.find("$a") == std::string::npos) text += " AND name = $a";
    if (text.find("$b") == std::string::npos) text += " AND points = $b";
    const auto result = Bind(text);
    ReadAsked(text, parameters_, *dataset_);
    if (result.ok()) {
      ++bound;
      // Nothing on a field that may not be read raw is bound raw.
      for (const int field : records::FieldsOf(result->predicate)) {
        if (field >= static_cast<int>(dataset_->schema->size())) continue;
        const FilterRule rule = context_.rule(field);
        ASSERT_TRUE(rule == FilterRule::kAny || rule == FilterRule::kExact) << text;
      }
      continue;
    }
    ASSERT_NE(ReasonOf(result.status()), v1::REASON_UNSPECIFIED) << text;
    ASSERT_THAT(TextOf(result.status()), Not(HasSubstr("SECRET"))) << text;
    ASSERT_THAT(TextOf(result.status()), Not(HasSubstr("77123"))) << text;
  }
  EXPECT_GT(bound, 100 / kSweepStep);
}

}  // namespace
}  // namespace sluice::policy
