#include "gateway/exchange/told_numbers.h"

#include <gtest/gtest.h>

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

using policy::GroupRows;

constexpr Micros kToldAt = 1'790'000'000 * kSecond;

class ToldNumbersTest : public ::testing::Test {
 protected:
  ToldNumbersTest() { grant_.set_id("count1"); }
  // Conditions as single letters.
  absl::StatusOr<GroupRows> Ask(const std::string& conditions, GroupRows counted,
                                const std::string& by = "") {
    CountQuestion question;
    for (const char c : conditions) question.conditions.insert(std::string(1, c));
    if (!by.empty()) question.group_by.push_back(by);
    return told_.Take(grant_, std::move(question), std::move(counted), 10, now_);
  }
  v1::Reason Refused(const std::string& conditions, GroupRows counted, const std::string& by = "") {
    return ReasonOf(Ask(conditions, std::move(counted), by).status());
  }

  v1::Grant grant_;
  ToldNumbers told_;
  Micros now_ = kToldAt;
};

TEST_F(ToldNumbersTest, QuestionsThatDifferInOneConditionMayNotDifferByAFew) {
  EXPECT_TRUE(Ask("ab", {{"", 100}}).ok());
  EXPECT_EQ(Refused("abc", {{"", 99}}), v1::REASON_QUESTION_TOO_NEAR) << "one more condition";
  EXPECT_EQ(Refused("a", {{"", 105}}), v1::REASON_QUESTION_TOO_NEAR) << "one fewer";
  EXPECT_EQ(Refused("ax", {{"", 109}}), v1::REASON_QUESTION_TOO_NEAR) << "one in another's place";
  EXPECT_TRUE(Ask("abd", {{"", 90}}).ok()) << "ten are no few";
  EXPECT_TRUE(Ask("xyz", {{"", 101}}).ok()) << "another question altogether";
}

TEST_F(ToldNumbersTest, GroupsAreComparedEachByItself) {
  EXPECT_TRUE(Ask("a", {{"east", 100}, {"west", 50}}, "county").ok());
  EXPECT_EQ(Refused("ab", {{"east", 60}, {"west", 49}}, "county"), v1::REASON_QUESTION_TOO_NEAR);
  EXPECT_TRUE(Ask("ab", {{"east", 60}, {"west", 30}}, "county").ok());
  EXPECT_EQ(Refused("c", {{"", 149}}), v1::REASON_QUESTION_TOO_NEAR)
      << "all groups together are told as well";
}

TEST_F(ToldNumbersTest, ANumberThatMovedByAFewIsToldAsItWas) {
  EXPECT_TRUE(Ask("a", {{"", 100}}).ok());
  EXPECT_EQ(Ask("a", {{"", 101}})->at(""), 100);
  EXPECT_EQ(Ask("a", {{"", 109}})->at(""), 100);
  EXPECT_EQ(Ask("a", {{"", 110}})->at(""), 110);
}

TEST_F(ToldNumbersTest, NumbersThatAreNotToldDifferFromNothing) {
  EXPECT_TRUE(Ask("a", {{"", 4}}).ok());
  EXPECT_TRUE(Ask("b", {{"", 0}}).ok());
  EXPECT_TRUE(Ask("c", {{"", 12}}).ok());
}

TEST_F(ToldNumbersTest, AnotherGrantAndAnotherDayStandByThemselves) {
  EXPECT_TRUE(Ask("a", {{"", 100}}).ok());
  grant_.set_id("count2");
  EXPECT_TRUE(Ask("ab", {{"", 99}}).ok());
  grant_.set_id("count1");
  now_ += kDay;
  EXPECT_TRUE(Ask("ab", {{"", 99}}).ok());
}

TEST_F(ToldNumbersTest, AQuestionIsTheSameHoweverItIsOrdered) {
  const auto equals = [](int field, std::vector<records::Scalar> values) {
    records::Predicate predicate;
    predicate.op = values.size() == 1 ? records::Op::kEqual : records::Op::kIn;
    predicate.field = field;
    predicate.values = std::move(values);
    return predicate;
  };
  const auto one = records::And(equals(1, {std::string("x")}), equals(2, {int64_t{1}, int64_t{2}}));
  const auto other =
      records::And(equals(2, {int64_t{2}, int64_t{1}}), equals(1, {std::string("x")}));
  EXPECT_EQ(QuestionOf(one, {}).conditions, QuestionOf(other, {}).conditions);
  EXPECT_NE(QuestionOf(one, {}).conditions,
            QuestionOf(equals(1, {std::string("x")}), {}).conditions);
  EXPECT_NE(QuestionOf(equals(1, {std::string("1")}), {}).conditions,
            QuestionOf(equals(1, {int64_t{'1'}}), {}).conditions);
}

}  // namespace
}  // namespace sluice::exchange
