#include "gateway/exchange/quota.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

int64_t MinuteOf(Micros now) { return FloorDivide(now, kMinute); }

Micros Offset(const v1::Grant& grant) { return grant.quota().day_offset_minutes() * kMinute; }

int64_t DayOf(const v1::Grant& grant, Micros now) { return FloorDivide(now + Offset(grant), kDay); }

Micros DayEnds(const v1::Grant& grant, Micros now) {
  return (DayOf(grant, now) + 1) * kDay - Offset(grant);
}

absl::Status Exceeded(const v1::Grant& grant, std::string_view what, int64_t limit, Micros wait) {
  absl::Status status = Error(
      v1::REASON_QUOTA_EXCEEDED,
      absl::StrCat("grant ", grant.id(), " allows ", limit, " ",
                   absl::string_view(what.data(), what.size()), ", and they are used up or taken."),
      {{"grant", grant.id()}, {"dataset", grant.dataset()}});
  AddQuotaViolation(status, absl::StrCat("grant:", grant.id()), what);
  if (wait > 0) AddRetryDelay(status, wait);
  return status;
}

}  // namespace

QuotaLedger::Reservation& QuotaLedger::Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    Settle(0);
    ledger_ = std::exchange(other.ledger_, nullptr);
    grant_ = std::move(other.grant_);
    misses_ = other.misses_;
    rows_ = other.rows_;
    day_ = other.day_;
  }
  return *this;
}

void QuotaLedger::Reservation::Settle(int64_t rows) {
  if (ledger_ == nullptr) return;
  std::exchange(ledger_, nullptr)->GiveBack(grant_, rows_ - std::min(rows, rows_), day_, misses_);
}

int64_t QuotaLedger::Reservation::Use(int64_t rows) {
  const int64_t used = std::min(rows, rows_);
  rows_ -= used;
  return used;
}

// Time that goes back opens no new minute or day: the later one stays in force.
void QuotaLedger::Roll(const v1::Grant& grant, Micros now, QuotaUse& use) {
  if (MinuteOf(now) > use.minute) use.minute = MinuteOf(now), use.calls = 0;
  if (DayOf(grant, now) > use.day)
    use.day = DayOf(grant, now), use.rows_today = use.misses_today = 0;
}

absl::Status QuotaLedger::CheckCalls(const v1::Grant& grant, Micros now, const QuotaUse& use) {
  const int64_t most = grant.quota().calls_per_minute();
  if (most == 0 || use.calls < most) return absl::OkStatus();
  return Exceeded(grant, "calls a minute", most, (use.minute + 1) * kMinute - now);
}

absl::Status QuotaLedger::CheckRows(const v1::Grant& grant, int64_t least, Micros now,
                                    const QuotaUse& use) {
  const v1::Quota& quota = grant.quota();
  const auto fits = [least](int64_t limit, int64_t used) {
    return limit == 0 || std::max<int64_t>(0, limit - used) >= least;
  };
  if (!fits(quota.rows_per_day(), use.rows_today))
    return Exceeded(grant, "rows a day", quota.rows_per_day(), DayEnds(grant, now) - now);
  if (!fits(quota.rows_total(), use.rows_total))
    return Exceeded(grant, "rows in all", quota.rows_total(), 0);
  return absl::OkStatus();
}

absl::Status QuotaLedger::Check(const v1::Grant& grant, Micros now) const {
  MutexLock lock(mutex_);
  const auto found = uses_.find(grant.id());
  QuotaUse use = found == uses_.end() ? QuotaUse() : found->second;
  Roll(grant, now, use);
  SLUICE_RETURN_IF_ERROR(CheckCalls(grant, now, use));
  return CheckRows(grant, 1, now, use);
}

absl::StatusOr<QuotaLedger::Reservation> QuotaLedger::Reserve(const v1::Grant& grant, int64_t rows,
                                                              bool partial, Micros now,
                                                              int64_t* reserved) {
  MutexLock lock(mutex_);
  QuotaUse& use = uses_[grant.id()];
  Roll(grant, now, use);
  SLUICE_RETURN_IF_ERROR(CheckCalls(grant, now, use));
  SLUICE_ASSIGN_OR_RETURN(Reservation reservation,
                          Take(grant, rows, partial ? 1 : rows, now, reserved));
  ++use.calls;
  return reservation;
}

absl::StatusOr<QuotaLedger::Reservation> QuotaLedger::ReserveMore(const v1::Grant& grant,
                                                                  int64_t rows, int64_t least,
                                                                  Micros now, int64_t* reserved) {
  MutexLock lock(mutex_);
  Roll(grant, now, uses_[grant.id()]);
  return Take(grant, rows, least, now, reserved);
}

absl::StatusOr<QuotaLedger::Reservation> QuotaLedger::Take(const v1::Grant& grant, int64_t rows,
                                                           int64_t least, Micros now,
                                                           int64_t* reserved) {
  const v1::Quota& quota = grant.quota();
  QuotaUse& use = uses_[grant.id()];
  SLUICE_RETURN_IF_ERROR(CheckRows(grant, least, now, use));
  int64_t take = rows;
  if (quota.rows_per_day() > 0)
    take = std::min(take, std::max<int64_t>(0, quota.rows_per_day() - use.rows_today));
  if (quota.rows_total() > 0)
    take = std::min(take, std::max<int64_t>(0, quota.rows_total() - use.rows_total));
  use.rows_today += take;
  use.rows_total += take;
  *reserved = take;
  Reservation reservation;
  reservation.ledger_ = this;
  reservation.grant_ = grant.id();
  reservation.rows_ = take;
  reservation.day_ = use.day;
  return reservation;
}

absl::StatusOr<QuotaLedger::Reservation> QuotaLedger::ReserveMisses(const v1::Grant& grant,
                                                                    int64_t misses, Micros now) {
  MutexLock lock(mutex_);
  QuotaUse& use = uses_[grant.id()];
  Roll(grant, now, use);
  const int64_t most = grant.quota().misses_per_day();
  if (most > 0 && use.misses_today + misses > most)
    return Exceeded(grant, "answers a day that are not MATCH", most, DayEnds(grant, now) - now);
  use.misses_today += misses;
  Reservation reservation;
  reservation.ledger_ = this;
  reservation.misses_ = true;
  reservation.grant_ = grant.id();
  reservation.rows_ = misses;
  reservation.day_ = use.day;
  return reservation;
}

void QuotaLedger::GiveBack(const std::string& grant, int64_t rows, int64_t day, bool misses) {
  if (rows == 0) return;
  MutexLock lock(mutex_);
  QuotaUse& use = uses_[grant];
  if (misses) {
    if (use.day == day) use.misses_today -= rows;
    return;
  }
  use.rows_total -= rows;
  if (use.day == day) use.rows_today -= rows;
}

v1::QuotaLeft QuotaLedger::Left(const v1::Grant& grant, Micros now) const {
  QuotaUse use;
  {
    MutexLock lock(mutex_);
    if (const auto found = uses_.find(grant.id()); found != uses_.end()) use = found->second;
  }
  Roll(grant, now, use);
  const v1::Quota& quota = grant.quota();
  v1::QuotaLeft left;
  const auto rest = [](int64_t limit, int64_t used) { return std::max<int64_t>(0, limit - used); };
  if (quota.calls_per_minute() > 0)
    left.set_calls_this_minute(rest(quota.calls_per_minute(), use.calls));
  if (quota.rows_per_day() > 0) {
    left.set_rows_today(rest(quota.rows_per_day(), use.rows_today));
    left.mutable_day_ends()->set_seconds(DayEnds(grant, now) / kSecond);
  }
  if (quota.rows_total() > 0) left.set_rows_total(rest(quota.rows_total(), use.rows_total));
  return left;
}

void QuotaLedger::Count(const v1::Grant& grant, int64_t rows, Micros time) {
  MutexLock lock(mutex_);
  QuotaUse& use = uses_[grant.id()];
  Roll(grant, time, use);
  if (MinuteOf(time) == use.minute) ++use.calls;
  if (DayOf(grant, time) == use.day) use.rows_today += rows;
  use.rows_total += rows;
}

void QuotaLedger::CountMisses(const v1::Grant& grant, int64_t misses, Micros time) {
  MutexLock lock(mutex_);
  QuotaUse& use = uses_[grant.id()];
  Roll(grant, time, use);
  if (DayOf(grant, time) == use.day) use.misses_today += misses;
}

void QuotaLedger::CountMore(const v1::Grant& grant, int64_t rows, Micros time) {
  MutexLock lock(mutex_);
  QuotaUse& use = uses_[grant.id()];
  Roll(grant, time, use);
  if (DayOf(grant, time) == use.day) use.rows_today += rows;
  use.rows_total += rows;
}

void QuotaLedger::Restore(const std::string& grant, const QuotaUse& use) {
  MutexLock lock(mutex_);
  uses_[grant] = use;
}

std::map<std::string, QuotaUse> QuotaLedger::Uses() const {
  MutexLock lock(mutex_);
  return uses_;
}

}  // namespace sluice::exchange
