#include "gateway/audit/log_verifier.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/audit/recovery.h"
#include "gateway/audit/seal.h"
#include "gateway/audit/verifier_parts.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr absl::string_view kKeep =
    "keep this copy and compare it with another; do not start the gateway on it";
constexpr absl::string_view kMayBeTorn =
    "if the gateway crashed and was not started since, start it: it sets aside what a crash cut "
    "short; otherwise keep this copy and compare it with another";

class Verification {
 public:
  Verification(const std::string& directory, const VerifierKey& key, FileSystem& files,
               LogBroken& broken, const std::function<void(uint64_t, uint64_t)>& progress)
      : directory_(directory), key_(key), files_(files), broken_(broken), progress_(progress) {}

  absl::StatusOr<VerifyReport> Run() {
    SLUICE_RETURN_IF_ERROR(FindHeads());
    SLUICE_RETURN_IF_ERROR(FindSegments());
    for (size_t i = 0; i < chain_.headers.size(); ++i) {
      const bool last = i + 1 == chain_.headers.size();
      SLUICE_RETURN_IF_ERROR(
          ReadSegment(chain_.headers[i], last ? nullptr : &chain_.headers[i + 1]));
    }
    if (const StoredHead* head = heads_->current())
      return Broken(absl::DataLossError(absl::StrCat("the log ends with ", cursor_.tree.size(),
                                                     " records, but the head of size ",
                                                     head->checkpoint.size, " was signed")),
                    heads_->where(), kKeep);
    return Report();
  }

 private:
  // Says what is wrong; statuses other than DATA_LOSS are about reading, and returned as they are.
  absl::Status Broken(const absl::Status& status, const std::string& where,
                      absl::string_view next) {
    broken_.what = std::string(status.message());
    broken_.where = where;
    broken_.holds = held_ == 0 ? "nothing: no head was reached before this place"
                               : absl::StrCat("#0 to #", held_ - 1, ", under the head of size ",
                                              held_, ", ", FormatUtc(held_time_));
    broken_.next = std::string(next);
    broken_.records = held_;
    broken_.root = held_root_;
    broken_.segment = held_segment_;
    broken_.offset = held_offset_;
    if (absl::IsDataLoss(status)) return Annotate(status, where);
    broken_.what = absl::StrCat("cannot be read: ", broken_.what);
    broken_.next = "read access and the disk; then verify again";
    return status;
  }

  absl::Status FindHeads() {
    const auto names = files_.List(HeadsDirectory(directory_));
    if (!names.ok()) return Broken(names.status(), "heads/", kKeep);
    for (const std::string& name : *names)
      if (absl::EndsWith(name, ".tmp"))
        return Broken(absl::DataLossError("left by a start that did not end"),
                      absl::StrCat("heads/", name), kMayBeTorn);
    const auto numbers = ListHeads(files_, directory_);
    if (!numbers.ok()) return Broken(numbers.status(), "heads/", kKeep);
    for (const uint64_t number : *numbers) {
      const auto info = files_.Stat(HeadsPath(directory_, number));
      if (info.ok()) bytes_of_all_ += info->size;
    }
    heads_.emplace(files_, directory_, key_, *numbers);
    return NextHead();
  }

  absl::Status NextHead() {
    const absl::Status status = heads_->Advance();
    return status.ok() ? status : Broken(status, heads_->where(), kMayBeTorn);
  }

  absl::Status FindSegments() {
    std::string where;
    auto chain = ReadChain(files_, directory_, key_.name, where);
    if (!chain.ok()) return Broken(chain.status(), where, kKeep);
    chain_ = *std::move(chain);
    for (const SegmentHeader& header : chain_.headers) bytes_of_all_ += header.size;
    const uint64_t last = chain_.headers.empty() ? 0 : chain_.headers.back().number;
    for (const uint64_t number : chain_.superseded)
      return Broken(absl::DataLossError("superseded, but not removed: a start did not end"),
                    Place(number, 0), kMayBeTorn);
    for (const auto& [number, status] : chain_.headless) {
      absl::Status wrong = status;
      if (number == last + 1 && absl::IsNotFound(status))
        wrong = CheckPrepared(number);
      else if (absl::IsNotFound(status))
        wrong = absl::DataLossError("a segment without header");
      if (!wrong.ok()) return Broken(wrong, Place(number, 0), kMayBeTorn);
    }
    if (chain_.headers.empty())
      return Broken(absl::DataLossError("no segment: this is no log, or all of it was removed"),
                    "segments/", kKeep);
    return absl::OkStatus();
  }

  // The next segment may stand ready: zeros throughout.
  absl::Status CheckPrepared(uint64_t number) {
    SLUICE_ASSIGN_OR_RETURN(auto reader, Open(number));
    SLUICE_ASSIGN_OR_RETURN(const uint64_t used, reader.EndOfBytes(0, reader.file_size()));
    if (used != 0) return absl::DataLossError("a segment without header that is not empty");
    return absl::OkStatus();
  }

  absl::StatusOr<SegmentReader> Open(uint64_t number) {
    return SegmentReader::Open(files_, SegmentPath(directory_, number), ReadFrom::kStorage);
  }

  absl::Status ReadSegment(const SegmentHeader& header, const SegmentHeader* next) {
    if (header.first_index != cursor_.tree.size() || header.first_sequence != cursor_.sequence ||
        header.tree.hashes() != cursor_.tree.hashes() || header.epoch < segment_epoch_)
      return Broken(absl::DataLossError("the header does not continue the segment before it"),
                    Place(header.number, 0), kKeep);
    segment_epoch_ = header.epoch;
    auto reader = Open(header.number);
    if (!reader.ok()) return Broken(reader.status(), Place(header.number, 0), kKeep);
    const uint64_t end = next != nullptr ? next->previous_end : reader->file_size();
    while (reader->position() < end) {
      const uint64_t at = reader->position();
      const auto batch = reader->Next(end);
      absl::Status status = batch.status();
      if (absl::IsDataLoss(status) && next == nullptr) {  // the end, where all behind it is zero
        const auto used = reader->EndOfBytes(at, reader->file_size());
        if (!used.ok()) return Broken(used.status(), Place(header.number, at), kKeep);
        if (*used == at) break;
        return Broken(status, Place(header.number, at), kMayBeTorn);
      }
      const uint64_t held = held_;
      if (status.ok()) status = TakeBatch(*batch);
      if (held_ != held) {
        held_segment_ = header.number;
        held_offset_ = held_ == cursor_.tree.size() ? reader->position() : at;
      }
      if (!broken_.what.empty()) return status;
      if (!status.ok()) return Broken(status, Place(header.number, at), kKeep);
      if (progress_) progress_(bytes_done_ + reader->position(), bytes_of_all_);
    }
    bytes_done_ += header.size;
    return next == nullptr ? absl::OkStatus() : CheckBehind(*reader, header, *next);
  }

  // What stands behind the last batch of a segment that is not the last.
  absl::Status CheckBehind(SegmentReader& reader, const SegmentHeader& header,
                           const SegmentHeader& next) {
    const uint64_t end = next.previous_end;
    if (end < kSegmentHeader || end > reader.file_size())
      return Broken(absl::DataLossError("the next segment's header contradicts this one"),
                    Place(header.number, 0), kKeep);
    absl::Status status;
    if (next.previous_rest) {
      const auto digest = reader.Digest(end, reader.file_size());
      status = digest.status();
      if (digest.ok() && *digest != *next.previous_rest)
        status = absl::DataLossError("what recovery set aside from here on was changed");
    } else {
      const auto used = reader.EndOfBytes(end, reader.file_size());
      status = used.status();
      if (used.ok() && *used != end)
        status = absl::DataLossError("bytes behind the segment's last batch are not zero");
    }
    return status.ok() ? status : Broken(status, Place(header.number, end), kKeep);
  }

  absl::Status TakeBatch(const Batch& batch) {
    const uint64_t first = cursor_.tree.size();
    absl::Status heads;
    SLUICE_RETURN_IF_ERROR(cursor_.Take(batch, [&](uint64_t index, const Hash&) {
      if (index != first && heads.ok()) heads = CheckHead();
    }));
    for (size_t i = 0; i < batch.records.size(); ++i) {
      SLUICE_RETURN_IF_ERROR(CheckRecord(first + i, batch.records[i], envelope_));
      if (envelope_.kind() == v1::RECORD_KIND_SEALED)
        SLUICE_RETURN_IF_ERROR(TakeSeal(first + i, envelope_));
      runs_.Take(first + i, envelope_.kind());
      streams_.Take(first + i, envelope_);
      if (envelope_.clock_step() != 0) time_.TakeStep(first + i, envelope_.clock_step());
    }
    time_.Take(batch.header);
    ++batches_;
    SLUICE_RETURN_IF_ERROR(heads);
    return CheckHead();
  }

  absl::Status TakeSeal(uint64_t index, const v1::AuditEnvelope& envelope) {
    absl::Status status = CheckSealInfo(envelope.seal());
    if (index != 0) status = absl::InvalidArgumentError("only the first record may be one");
    if (status.ok() && SuccessorOrigin(envelope.seal().origin()) != key_.name)
      status = absl::InvalidArgumentError(absl::StrCat(
          "it ended the log ", envelope.seal().origin(), ", which this does not follow"));
    if (!status.ok())
      return absl::DataLossError(
          absl::StrCat("the seal in #", index, " does not hold: ", status.message()));
    continues_ = SealWords(envelope.seal());
    return absl::OkStatus();
  }

  // Compares the tree with the next head, where that is over exactly this many records.
  absl::Status CheckHead() {
    const StoredHead* head = heads_->current();
    if (head == nullptr || head->checkpoint.size != cursor_.tree.size()) return absl::OkStatus();
    if (head->checkpoint.root != cursor_.tree.Root())
      return Broken(absl::DataLossError(absl::StrCat(
                        "the first ", head->checkpoint.size,
                        " records do not hash to the head that was signed over them: one from #",
                        held_, " on was changed")),
                    heads_->where(), kKeep);
    held_ = head->checkpoint.size;
    held_root_ = head->checkpoint.root;
    held_time_ = time_.last();
    return NextHead();
  }

  VerifyReport Report() {
    VerifyReport report;
    report.records = cursor_.tree.size();
    report.root = cursor_.tree.Root();
    const size_t segments = chain_.headers.size();
    report.lines.push_back({"batches", absl::StrCat(batches_, " in ", segments,
                                                    segments == 1 ? " segment" : " segments",
                                                    ": length, checksum, epoch, order")});
    report.lines.push_back({"tree", "every leaf re-derived from its envelope"});
    std::string heads =
        heads_->count() == 0
            ? "none was signed yet"
            : absl::StrCat(heads_->count(), heads_->count() == 1 ? " signature" : " signatures",
                           ", each head consistent with the one before");
    if (held_ != report.records)
      absl::StrAppend(&heads, "; ", report.records - held_, " records are above the last");
    report.lines.push_back({"heads", std::move(heads)});
    report.lines.push_back({"runs", runs_.Finding()});
    if (!continues_.empty()) report.lines.push_back({"continues", continues_});
    report.lines.push_back({"streams", streams_.Finding(), streams_.sound()});
    report.lines.push_back({"time", time_.Finding(), time_.sound()});
    return report;
  }

  const std::string& directory_;
  const VerifierKey& key_;
  FileSystem& files_;
  LogBroken& broken_;
  const std::function<void(uint64_t, uint64_t)>& progress_;

  std::optional<HeadStream> heads_;
  Chain chain_;
  LogCursor cursor_;
  uint64_t segment_epoch_ = 0;
  RunCounter runs_;
  StreamCounter streams_;
  v1::AuditEnvelope envelope_;  // of the record that is looked at
  TimeLine time_;
  uint64_t batches_ = 0;
  uint64_t bytes_done_ = 0, bytes_of_all_ = 0;
  uint64_t held_ = 0;  // records under the last head that holds
  Micros held_time_ = 0;
  Hash held_root_ = CompactRange().Root();
  uint64_t held_segment_ = 0, held_offset_ = 0;  // where they end
  std::string continues_;                        // what the first record says of a sealed log
};

}  // namespace

absl::StatusOr<VerifyReport> VerifyLog(const std::string& directory, const VerifierKey& key,
                                       FileSystem& files, LogBroken* broken,
                                       const std::function<void(uint64_t, uint64_t)>& progress) {
  LogBroken found;
  Verification verification(directory, key, files, found, progress);
  auto report = verification.Run();
  if (broken != nullptr) *broken = found;
  return report;
}

}  // namespace sluice::audit
