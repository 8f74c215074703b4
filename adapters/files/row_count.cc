#include "adapters/files/row_count.h"

#include "gateway/base/error.h"

namespace sluice::adapters::files {

void RowCount::Restart() { rows_.reset(); }

absl::Status RowCount::Count(const Watch& watch) {
  if (rows_ == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(const auto layout, format_->ReadLayout(content_, table_, watch));
    SLUICE_ASSIGN_OR_RETURN(rows_, format_->Open(content_, layout, table_, {}));
    rows_->Seek(layout->rows);
    count_ = 0;
  }
  for (;;) {
    const auto any = rows_->Next(watch);
    // A record that is no row counts as none.
    if (ReasonOf(any.status()) == v1::REASON_SOURCE_BAD_VALUE && rows_->can_go_on()) continue;
    SLUICE_RETURN_IF_ERROR(any.status());
    if (!*any) return absl::OkStatus();
    ++count_;
  }
}

absl::Status RowCount::Work(const Watch& watch) {
  const absl::Status status = Count(watch);
  if (EndedByWatch(status)) return status;
  SLUICE_ASSIGN_OR_RETURN(const bool unchanged, file_->Unchanged());
  if (!unchanged) return Changed();
  if (!SpeaksOfTheFile(status)) return status;
  rows_.reset();
  content_.reset();
  file_.reset();
  return status;
}

}  // namespace sluice::adapters::files
