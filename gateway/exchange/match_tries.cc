#include "gateway/exchange/match_tries.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

int64_t TryDayOf(const v1::Grant& grant, Micros now) {
  return (now + grant.quota().day_offset_minutes() * kMinute) / kDay;
}

}  // namespace

absl::Status MatchTries::Take(const v1::Grant& grant, const std::vector<std::string>& records,
                              Micros now) {
  const int64_t most =
      grant.quota().tries_per_record() > 0 ? grant.quota().tries_per_record() : kTries;
  const int64_t today = TryDayOf(grant, now);
  MutexLock lock(mutex_);
  Day& day = grants_[grant.id()];
  if (today > day.day) day = {today, {}};
  for (size_t i = 0; i < records.size(); ++i) {
    if (++day.tries[records[i]] <= most) continue;
    for (size_t taken = 0; taken <= i; ++taken)
      if (--day.tries[records[taken]] <= 0) day.tries.erase(records[taken]);
    absl::Status status =
        Error(v1::REASON_QUOTA_EXCEEDED,
              absl::StrCat("grant ", grant.id(), " allows ", most,
                           " answers a day that are not MATCH about the same record."),
              {{"grant", grant.id()}, {"dataset", grant.dataset()}});
    AddFieldViolation(status, absl::StrCat("items[", i, "]"),
                      "no try is left for its record today");
    AddQuotaViolation(status, absl::StrCat("grant:", grant.id()), "tries a day for a record");
    AddRetryDelay(status, (today + 1) * kDay - grant.quota().day_offset_minutes() * kMinute - now);
    return status;
  }
  return absl::OkStatus();
}

void MatchTries::GiveBack(const v1::Grant& grant, const std::vector<std::string>& records,
                          Micros taken) {
  MutexLock lock(mutex_);
  Day& day = grants_[grant.id()];
  if (day.day != TryDayOf(grant, taken)) return;
  for (const std::string& record : records) {
    const auto found = day.tries.find(record);
    if (found != day.tries.end() && --found->second <= 0) day.tries.erase(found);
  }
}

}  // namespace sluice::exchange
