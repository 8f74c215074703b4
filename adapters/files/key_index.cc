#include "adapters/files/key_index.h"

#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "adapters/files/good_rows.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {

IndexBuild::IndexBuild(IndexedTable table, std::shared_ptr<const SourceFile> file,
                       const Budgets& budgets)
    : table_(std::move(table)),
      full_name_(table_.name.Full()),
      budgets_(budgets),
      file_(std::move(file)) {}

void IndexBuild::Restart() {
  phase_ = Phase::kStart;
  sorter_.reset();
  marks_.reset();
  index_.reset();
}

// At the first row.
absl::Status IndexBuild::Open() {
  std::vector<int> key(table_.key.size());
  std::iota(key.begin(), key.end(), 0);
  const char* const counted = table_.format->counted();
  SLUICE_ASSIGN_OR_RETURN(
      reader_, table_.format->Open(table_.content, table_.layout, table_.name, table_.key));
  rejects_.reset();
  if (!table_.reject_folder.empty()) {
    rejects_.emplace(table_.reject_folder, table_.name.Full(), table_.version, counted);
    reader_ = std::make_unique<GoodRows>(std::move(reader_), table_.key, key, table_.name.Full(),
                                         counted, &*rejects_);
  }
  keys_.emplace(*reader_, table_.key, std::move(key), table_.name.Full(), counted);
  reader_->Seek(table_.layout->rows);
  rows_ = 0;
  return absl::OkStatus();
}

absl::Status IndexBuild::Start() {
  SLUICE_RETURN_IF_ERROR(Open());
  index_ = std::make_shared<KeyIndex>(budgets_);
  phase_ = Phase::kLooking;
  return absl::OkStatus();
}

absl::StatusOr<bool> IndexBuild::NextKey(const Watch& watch) {
  absl::StatusOr<bool> any = reader_->Next(watch);
  absl::Status status = any.status();
  if (any.ok() && !*any) return false;
  if (status.ok()) status = keys_->Read(key_);
  if (!status.ok()) {
    AddKey(status, "row", absl::StrCat(rows_ + 1));
    return status;
  }
  ++rows_;
  return true;
}

absl::Status IndexBuild::Mark(const Place& place) {
  Marks& marks = index_->marks;
  if (!marks_ && marks.Full(key_.size())) SLUICE_RETURN_IF_ERROR(MoveMarks());
  if (!marks_) {
    marks.Offer(key_, {place.offset, place.number, place.part});
    return absl::OkStatus();
  }
  if (place.offset - last_mark_ < budgets_.mark_step) return absl::OkStatus();
  last_mark_ = place.offset;
  return marks_->Add({key_, place});
}

// From memory to a Scratch; what stays are marks on its blocks.
absl::Status IndexBuild::MoveMarks() {
  SLUICE_ASSIGN_OR_RETURN(index_->scratch, Scratch::Make(table_.work_folder, budgets_.block_bytes));
  const Marks moved = std::exchange(index_->marks, Marks(budgets_.mark_bytes, 1));
  marks_.emplace(*index_->scratch, full_name_, table_.format->counted(), &index_->marks);
  for (size_t i = 0; i < moved.count(); ++i) {
    const Marks::Mark& mark = moved.MarkOf(i);
    SLUICE_RETURN_IF_ERROR(marks_->Add({moved.KeyOf(i), {mark.at, mark.number, mark.part}}));
    last_mark_ = mark.at;
  }
  return absl::OkStatus();
}

// Whether the file is in the key's order; marks it as long as it is.
absl::Status IndexBuild::Look(const Watch& watch) {
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(const bool any, NextKey(watch));
    if (!any) {
      if (!marks_) return absl::OkStatus();
      SLUICE_ASSIGN_OR_RETURN(index_->run, marks_->Close());
      return absl::OkStatus();
    }
    if (table_.key.empty()) continue;
    const Place& place = reader_->place();
    if (rows_ > 1 && key_ == last_key_) {
      return RepeatedKey(table_.name.Full(), table_.format->counted(), last_place_, place);
    }
    if (rows_ > 1 && key_ < last_key_) break;
    SLUICE_RETURN_IF_ERROR(Mark(place));
    std::swap(key_, last_key_);
    last_place_ = place;
  }
  index_->file_order = false;
  marks_.reset();
  index_->marks = Marks(budgets_.mark_bytes, 1);
  SLUICE_ASSIGN_OR_RETURN(index_->scratch, Scratch::Make(table_.work_folder, budgets_.block_bytes));
  sorter_ = std::make_unique<KeySorter>(*index_->scratch, budgets_, table_.name.Full(),
                                        table_.format->counted());
  phase_ = Phase::kSorting;
  return Open();
}

absl::Status IndexBuild::Sort(const Watch& watch) {
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(const bool any, NextKey(watch));
    if (!any) break;
    SLUICE_RETURN_IF_ERROR(sorter_->Add(key_, reader_->place()));
  }
  phase_ = Phase::kMerging;
  return absl::OkStatus();
}

absl::Status IndexBuild::Build(const Watch& watch) {
  if (phase_ == Phase::kStart) SLUICE_RETURN_IF_ERROR(Start());
  if (phase_ == Phase::kLooking) SLUICE_RETURN_IF_ERROR(Look(watch));
  if (phase_ == Phase::kSorting) SLUICE_RETURN_IF_ERROR(Sort(watch));
  if (phase_ == Phase::kMerging)
    SLUICE_RETURN_IF_ERROR(sorter_->Finish(watch, index_->marks, index_->run));
  index_->rows = rows_;
  if (!rejects_) return absl::OkStatus();
  index_->rejected = rejects_->count();
  return rejects_->Write();
}

absl::Status IndexBuild::Work(const Watch& watch) {
  const absl::Status status = Build(watch);
  if (EndedByWatch(status)) return status;
  // Bytes that changed under the build may look like bad ones: that they changed comes first.
  SLUICE_ASSIGN_OR_RETURN(const bool unchanged, file_->Unchanged());
  if (!unchanged) return Changed();
  if (!SpeaksOfTheFile(status)) return status;
  if (!status.ok()) index_.reset();
  sorter_.reset();
  marks_.reset();
  keys_.reset();
  reader_.reset();
  rejects_.reset();
  table_.content.reset();
  file_.reset();
  return status;
}

}  // namespace sluice::adapters::files
