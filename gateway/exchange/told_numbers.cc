#include "gateway/exchange/told_numbers.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

// Questions remembered of a grant, and numbers of all of them together.
constexpr size_t kMostQuestions = 1'000;
constexpr size_t kMostNumbers = 200'000;

void AppendScalar(const records::Scalar& value, std::string& out) {
  out += static_cast<char>('0' + value.index());
  std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string>) {
          absl::StrAppend(&out, held.size(), ":", held);
        } else if constexpr (!std::is_same_v<T, std::monostate>) {
          std::string bytes(sizeof(T), '\0');
          std::memcpy(bytes.data(), &held, sizeof(T));
          out += bytes;
        }
      },
      value);
}

// The same for conditions that are written alike; the order within AND, OR and lists is none.
std::string BytesOfCondition(const records::Predicate& predicate) {
  std::string bytes = absl::StrCat(static_cast<int>(predicate.op), "#", predicate.field, "(");
  std::set<std::string> parts;
  for (const records::Scalar& value : predicate.values) {
    std::string part;
    AppendScalar(value, part);
    parts.insert(std::move(part));
  }
  for (const records::Predicate& child : predicate.children) parts.insert(BytesOfCondition(child));
  for (const std::string& part : parts) absl::StrAppend(&bytes, part.size(), ":", part);
  return bytes + ")";
}

void AddConditions(const records::Predicate& predicate, std::set<std::string>& conditions) {
  if (predicate.op == records::Op::kAnd) {
    for (const records::Predicate& child : predicate.children) AddConditions(child, conditions);
  } else if (predicate.op != records::Op::kTrue) {
    conditions.insert(BytesOfCondition(predicate));
  }
}

// Whether they differ in one condition: one more, one fewer, or one in another's place.
bool IsNear(const CountQuestion& a, const CountQuestion& b) {
  const auto without = [](const std::set<std::string>& all, const std::set<std::string>& less) {
    return std::count_if(all.begin(), all.end(),
                         [&](const std::string& one) { return !less.contains(one); });
  };
  return without(a.conditions, b.conditions) <= 1 && without(b.conditions, a.conditions) <= 1;
}

int64_t SumOf(const policy::GroupRows& rows) {
  int64_t sum = 0;
  for (const auto& [key, number] : rows) sum += number;
  return sum;
}

// Of numbers that are told: smaller ones are not.
bool DifferByAFew(int64_t a, int64_t b, int64_t least) {
  return a >= least && b >= least && a != b && std::abs(a - b) < least;
}

}  // namespace

CountQuestion QuestionOf(const records::Predicate& predicate, std::vector<std::string> group_by) {
  CountQuestion question{.conditions = {}, .group_by = std::move(group_by)};
  AddConditions(predicate, question.conditions);
  return question;
}

absl::StatusOr<policy::GroupRows> ToldNumbers::Take(const v1::Grant& grant, CountQuestion question,
                                                    policy::GroupRows counted, int64_t least,
                                                    Micros now) {
  MutexLock lock(mutex_);
  std::deque<Told>& told = grants_[grant.id()];
  while (!told.empty() && (told.front().time <= now - kDay || told.size() >= kMostQuestions))
    told.pop_front();
  const auto near_rows = [&](const Told& before) {
    if (before.question.group_by != question.group_by) return false;
    return std::any_of(counted.begin(), counted.end(), [&](const auto& group) {
      const auto then = before.rows.find(group.first);
      return then != before.rows.end() && DifferByAFew(then->second, group.second, least);
    });
  };
  // The newest telling of the same question goes before all others.
  for (auto before = told.rbegin(); before != told.rend(); ++before) {
    if (before->question.conditions != question.conditions) continue;
    for (auto& [key, number] : counted) {
      if (before->question.group_by != question.group_by) continue;
      const auto then = before->rows.find(key);
      if (then != before->rows.end() && DifferByAFew(then->second, number, least))
        number = then->second;
    }
  }
  const int64_t all = SumOf(counted);
  for (const Told& before : told) {
    if (before.question.conditions == question.conditions || !IsNear(before.question, question))
      continue;
    if (!near_rows(before) && !DifferByAFew(before.all, all, least)) continue;
    return Error(v1::REASON_QUESTION_TOO_NEAR,
                 absl::StrCat("a number that was told under grant ", grant.id(),
                              " within a day differs from this one by fewer than ", least,
                              " rows, and so do the questions in one condition."),
                 {{"grant", grant.id()}, {"dataset", grant.dataset()}});
  }
  told.push_back({now, std::move(question), counted, all});
  size_t numbers = 0;
  for (const Told& one : told) numbers += one.rows.size() + 1;
  while (numbers > kMostNumbers && told.size() > 1) {
    numbers -= told.front().rows.size() + 1;
    told.pop_front();
  }
  return counted;
}

}  // namespace sluice::exchange
