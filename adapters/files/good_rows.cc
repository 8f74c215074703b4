#include "adapters/files/good_rows.h"

#include "gateway/base/error.h"

namespace sluice::adapters::files {

absl::StatusOr<bool> GoodRows::Next(const Watch& watch) {
  for (;;) {
    const absl::StatusOr<bool> any = rows_->Next(watch);
    if (any.ok() && !*any) return false;
    absl::Status bad = any.status();
    bool can_go_on = rows_->can_go_on();
    if (bad.ok() && has_key_) {
      bad = keys_.Read(key_);
      can_go_on = true;
    }
    if (bad.ok()) return true;
    if (ReasonOf(bad) != v1::REASON_SOURCE_BAD_VALUE || !can_go_on) return bad;
    if (rejects_ != nullptr) SLUICE_RETURN_IF_ERROR(rejects_->Add(place(), bad, raw()));
  }
}

}  // namespace sluice::adapters::files
