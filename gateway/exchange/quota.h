// What grants have used: calls a minute, rows a day, rows in all, misses a day. Taken before the
// work, settled after it, so that two calls that together exceed a quota cannot both pass. Any
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::exchange {

// What one grant has used so far. Minutes and days are numbered from 1970, days in the grant's own
// offset.
struct QuotaUse {
  int64_t minute = -1;
  int64_t calls = 0;
  int64_t day = -1;
  int64_t rows_today = 0;
  int64_t rows_total = 0;
  int64_t misses_today = 0;
};

class QuotaLedger {
 public:
  // Given back unless settled. Outlived by the ledger.
  class Reservation {
   public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept { *this = std::move(other); }
    Reservation& operator=(Reservation&& other) noexcept;
    ~Reservation() { Settle(0); }
    // The rows let go, at most those reserved. The call itself stays counted.
    void Settle(int64_t rows);
    // Rows that are about to be let go, and stay used: how many of them were reserved here.
    int64_t Use(int64_t rows);
    bool empty() const { return ledger_ == nullptr || rows_ == 0; }

   private:
    friend class QuotaLedger;
    QuotaLedger* ledger_ = nullptr;
    bool misses_ = false;
    std::string grant_;
    int64_t rows_ = 0;
    int64_t day_ = 0;
  };

  // One call and up to `rows` rows. QUOTA_EXCEEDED with a QuotaFailure and, for minute and day, the
  // time until the next begins. Fewer rows left than asked: as many as are left, at least one,
  // where `partial` is allowed (pages); *reserved says how many.
  absl::StatusOr<Reservation> Reserve(const v1::Grant& grant, int64_t rows, bool partial,
                                      Micros now, int64_t* reserved);
  // For an access that was counted: up to `rows` rows that it did not bring then, as many as are
  // left, and no call. QUOTA_EXCEEDED where fewer than `least` are.
  absl::StatusOr<Reservation> ReserveMore(const v1::Grant& grant, int64_t rows, int64_t least,
                                          Micros now, int64_t* reserved);
  // Answers of Match that may all turn out not to be MATCH; settled with those that did.
  // QUOTA_EXCEEDED where the day has fewer left.
  absl::StatusOr<Reservation> ReserveMisses(const v1::Grant& grant, int64_t misses, Micros now);
  // Whether a call would be let in now, without taking anything. QUOTA_EXCEEDED as with Reserve.
  absl::Status Check(const v1::Grant& grant, Micros now) const;
  v1::QuotaLeft Left(const v1::Grant& grant, Micros now) const;

  // Restoring: an access that the log shows. Before the gateway is ready.
  void Count(const v1::Grant& grant, int64_t rows, Micros time);
  // Answers that were not MATCH.
  void CountMisses(const v1::Grant& grant, int64_t misses, Micros time);
  // Rows that a repeated access brought beyond its first.
  void CountMore(const v1::Grant& grant, int64_t rows, Micros time);
  void Restore(const std::string& grant, const QuotaUse& use);
  std::map<std::string, QuotaUse> Uses() const;

 private:
  absl::StatusOr<Reservation> Take(const v1::Grant& grant, int64_t rows, int64_t least, Micros now,
                                   int64_t* reserved) SLUICE_REQUIRES(mutex_);
  void GiveBack(const std::string& grant, int64_t rows, int64_t day, bool misses);
  static absl::Status CheckCalls(const v1::Grant& grant, Micros now, const QuotaUse& use);
  static absl::Status CheckRows(const v1::Grant& grant, int64_t least, Micros now,
                                const QuotaUse& use);
  static void Roll(const v1::Grant& grant, Micros now, QuotaUse& use);

  mutable Mutex mutex_;
  std::map<std::string, QuotaUse> uses_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
