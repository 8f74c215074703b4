// The numbers that counts told under each grant within a day, so that two that are told of nearly
// the same question do not together tell of a few rows. In memory alone: a restart forgets them,
// and is in the log. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/policy/group_counter.h"
#include "gateway/records/predicate.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::exchange {

// What was counted: the conditions that all hold, and what it was grouped by.
struct CountQuestion {
  std::set<std::string> conditions;  // of each its bytes
  std::vector<std::string> group_by;
};
CountQuestion QuestionOf(const records::Predicate& predicate, std::vector<std::string> group_by);

class ToldNumbers {
 public:
  // The numbers that may be told for what was counted now. A number that moved by less than `least`
  // since the same question was asked is told as it was then. QUESTION_TOO_NEAR where a question
  // that differs in one condition was told a number that differs by less than `least`. What is
  // given counts as told.
  absl::StatusOr<policy::GroupRows> Take(const v1::Grant& grant, CountQuestion question,
                                         policy::GroupRows counted, int64_t least, Micros now);

 private:
  struct Told {
    Micros time = 0;
    CountQuestion question;
    policy::GroupRows rows;
    int64_t all = 0;
  };
  Mutex mutex_;
  std::map<std::string, std::deque<Told>> grants_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
