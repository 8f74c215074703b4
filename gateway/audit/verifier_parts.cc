#include "gateway/audit/verifier_parts.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr size_t kNamed = 3;  // crashes, streams
// Heads files are rolled at kMaxHeadsFile; one that is much larger is not ours.
constexpr uint64_t kReadableHeads = 2 * kMaxHeadsFile;

std::string Plural(uint64_t count, absl::string_view one, absl::string_view many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

}  // namespace

absl::Status HeadStream::Load(uint64_t number) {
  where_ = absl::StrCat("heads/", SegmentName(number));
  SLUICE_ASSIGN_OR_RETURN(auto file,
                          files_.OpenForRead(HeadsPath(directory_, number), ReadFrom::kStorage));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size > kReadableHeads) return absl::DataLossError("the file is larger than heads can be");
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes, file->ReadAt(0, size));
  file_ = ParseHeads(bytes, key_);
  if (file_.rest.ok()) return absl::OkStatus();
  where_ = absl::StrCat(where_, ", byte ", file_.sound);
  return file_.rest;
}

absl::Status HeadStream::Advance() {
  if (const StoredHead* head = current()) {
    size_ = head->checkpoint.size;
    offset_ += head->note.size();
    ++next_;
  }
  while (next_ >= file_.heads.size() && file_number_ < numbers_.size()) {
    SLUICE_RETURN_IF_ERROR(Load(numbers_[file_number_++]));
    next_ = 0;
    offset_ = 0;
  }
  const StoredHead* head = current();
  if (head == nullptr) return absl::OkStatus();
  ++count_;
  where_ = absl::StrCat("heads/", SegmentName(numbers_[file_number_ - 1]), ", byte ", offset_);
  if (head->checkpoint.size <= size_)
    return absl::DataLossError(
        absl::StrCat("a head of size ", head->checkpoint.size, " follows one of size ", size_));
  return absl::OkStatus();
}

void RunCounter::Take(uint64_t index, v1::RecordKind kind) {
  if (kind == v1::RECORD_KIND_STARTED) {
    ++starts_;
    if (!stopped_) {
      ++crashes_;
      if (crashed_after_.size() < kNamed) crashed_after_.push_back(index - 1);
    }
    stopped_ = false;
  } else if (kind == v1::RECORD_KIND_STOPPED) {
    ++stops_;
    stopped_ = true;
  } else {
    stopped_ = false;
  }
}

std::string RunCounter::Finding() const {
  std::string crashes = Plural(crashes_, "crash", "crashes");
  if (!crashed_after_.empty())
    absl::StrAppend(&crashes, " after #", absl::StrJoin(crashed_after_, ", #"),
                    crashes_ > crashed_after_.size() ? ", …" : "");
  return absl::StrCat(Plural(starts_, "start", "starts"), ", ",
                      Plural(stops_, "clean stop", "clean stops"), ", ", crashes, ": no gap");
}

void StreamCounter::Take(uint64_t index, const v1::AuditEnvelope& envelope) {
  const v1::RecordKind kind = envelope.kind();
  if (kind == v1::RECORD_KIND_OPENED) {
    ++opened_;
    open_.emplace(index, Open());
    return;
  }
  const bool end = kind == v1::RECORD_KIND_CLOSED || kind == v1::RECORD_KIND_ABANDONED;
  if (kind != v1::RECORD_KIND_PROGRESS && !end) return;
  const auto stream = open_.find(static_cast<uint64_t>(envelope.opened()));
  bool fits = envelope.has_opened() && stream != open_.end();
  if (fits) {
    Open& open = stream->second;
    const Open now{envelope.count(), envelope.payload_bytes(), envelope.batches(),
                   envelope.steps()};
    if (end) {
      fits = now.rows <= open.rows && now.bytes <= open.bytes && now.batches <= open.batches &&
             now.steps == open.steps;
      open_.erase(stream);
    } else {
      fits = now.rows >= open.rows && now.bytes >= open.bytes && now.batches > open.batches &&
             now.steps == open.steps + 1;
      open = now;
    }
  }
  if (end) ++(kind == v1::RECORD_KIND_CLOSED ? closed_ : abandoned_);
  if (!fits && !wrong_) wrong_ = index;
}

std::string StreamCounter::Finding() const {
  std::string out = absl::StrCat(opened_, " opened, ", closed_, " closed");
  if (abandoned_ > 0) absl::StrAppend(&out, ", ", abandoned_, " abandoned");
  if (wrong_) absl::StrAppend(&out, "; #", *wrong_, " does not follow from those before it");
  if (open_.empty()) return out;
  absl::StrAppend(&out, "; unfinished: ");
  size_t named = 0;
  for (const auto& [index, open] : open_) {
    if (++named > kNamed) break;
    absl::StrAppend(&out, named > 1 ? ", #" : "#", index);
  }
  if (open_.size() > kNamed) absl::StrAppend(&out, ", …");
  return out;
}

void TimeLine::Take(const FrameHeader& header) {
  if (!any_) first_ = last_ = header.time;
  any_ = true;
  ++batches_;
  if (header.clock != ClockState::kSynchronised) ++unsynchronised_;
  if (header.time < last_) {
    if (last_ - header.time > farthest_back_) {
      farthest_back_ = last_ - header.time;
      back_at_ = header.first_index;
    }
    ++back_;
  }
  last_ = header.time;
}

void TimeLine::TakeStep(uint64_t index, Micros step) {
  ++steps_;
  if (std::abs(step) <= std::abs(longest_step_)) return;
  longest_step_ = step;
  step_at_ = index;
}

std::string TimeLine::Finding() const {
  if (!any_) return "no batch";
  std::string out = absl::StrCat(FormatUtc(first_), " to ", FormatUtc(last_), ", clock ");
  if (unsynchronised_ == 0)
    absl::StrAppend(&out, "synchronised");
  else
    absl::StrAppend(&out, "not known to be synchronised in ", unsynchronised_, " of ",
                    Plural(batches_, "batch", "batches"));
  if (steps_ > 0)
    absl::StrAppend(&out, ", ", Plural(steps_, "step", "steps"), " recorded, the longest by ",
                    longest_step_ / 1000, " ms at #", step_at_);
  if (back_ == 0) return absl::StrCat(out, ", no step back");
  return absl::StrCat(out, ", ", Plural(back_, "step", "steps"), " back, the longest by ",
                      farthest_back_ / 1000, " ms at #", back_at_);
}

absl::Status CheckRecord(uint64_t index, const RecordView& record, v1::AuditEnvelope& envelope) {
  if (!envelope.ParseFromArray(record.envelope.data(), static_cast<int>(record.envelope.size())))
    return absl::DataLossError(absl::StrCat("the envelope of #", index, " cannot be parsed"));
  if (!envelope.sealed_digest().empty() &&
      envelope.sealed_digest() != AsBytes(Sha256(record.sealed_detail)))
    return absl::DataLossError(
        absl::StrCat("the detail of #", index, " is not the one that its envelope names"));
  return absl::OkStatus();
}

}  // namespace sluice::audit
