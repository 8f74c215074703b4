#include "gateway/exchange/log_export.h"

#include <chrono>
#include <deque>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/audit/log_tiles.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr auto kLookForCosigned = std::chrono::milliseconds(100);
constexpr auto kWaitForCosigned = std::chrono::seconds(12);  // over the default of a round

constexpr size_t kRecordsAPiece = 200;
constexpr size_t kBytesAPiece = 256 << 10;
// Records this close are read together: the log finds one by reading about as many before it.
constexpr uint64_t kReadTogether = 256;

absl::Status Vanished(uint64_t index) {
  return absl::DataLossError(absl::StrCat("record ", index, " is no answer any more"));
}

class ExportFeed : public LogFeed {
 public:
  ExportFeed(const LogReadingParts& parts, ExportPlan plan)
      : parts_(parts),
        plan_(std::move(plan)),
        subtrees_(audit::SubtreesOf(parts.log, plan_.head.checkpoint.size)) {}

  void Begin(int64_t) override {}

  absl::StatusOr<Piece> Next(Micros) override {
    auto message = std::make_unique<v1::ExportResponse>();
    const audit::KeyForOpening key = KeysOnce(parts_.keys);
    if (!begun_) {
      *message->mutable_start() = std::move(plan_.start);
      SLUICE_ASSIGN_OR_RETURN(audit::Log::Entry reading, parts_.log.ReadOne(plan_.read_index));
      SLUICE_RETURN_IF_ERROR(
          Add(std::move(reading), key, true, *message->mutable_start()->mutable_reading())
              .status());
      begun_ = true;
    }
    size_t bytes = message->ByteSizeLong();
    for (size_t added = 0;
         next_ < plan_.records.size() && added < kRecordsAPiece && bytes < kBytesAPiece; ++added) {
      SLUICE_ASSIGN_OR_RETURN(audit::Log::Entry entry, Take());
      SLUICE_ASSIGN_OR_RETURN(const size_t size,
                              Add(std::move(entry), key, false, *message->add_records()));
      bytes += size;
    }
    Piece piece;
    piece.message = std::move(message);
    piece.last = next_ == plan_.records.size();
    return piece;
  }

  std::optional<Reading> Ending() const override { return std::nullopt; }

 private:
  // The next of the plan's records.
  absl::StatusOr<audit::Log::Entry> Take() {
    if (ahead_.empty()) SLUICE_RETURN_IF_ERROR(ReadAhead());
    if (ahead_.empty()) return Vanished(plan_.records[next_]);
    audit::Log::Entry entry = std::move(ahead_.front());
    ahead_.pop_front();
    ++next_;
    return entry;
  }

  absl::Status ReadAhead() {
    size_t at = next_, bytes = 0;
    return parts_.log.Read(plan_.records[next_], [&](const audit::Log::Entry& entry) {
      if (entry.index == plan_.records[at]) {
        bytes += entry.record.envelope.size() + entry.record.sealed_detail.size();
        ahead_.push_back(entry);
        ++at;
      }
      return at < plan_.records.size() && plan_.records[at] < entry.index + kReadTogether &&
             ahead_.size() < kRecordsAPiece && bytes < kBytesAPiece;
    });
  }

  // Bytes added. The record of the reading is no answer to its own question.
  absl::StatusOr<size_t> Add(audit::Log::Entry entry, const audit::KeyForOpening& key, bool reading,
                             v1::ProvenRecord& proven) {
    const uint64_t index = entry.index;
    v1::AuditEnvelope envelope;
    if (!envelope.ParseFromString(entry.record.envelope)) return Vanished(index);
    absl::StatusOr<std::string> opened = absl::NotFoundError("not asked for");
    const bool asks = plan_.question.query.AsksDetails();
    if (!plan_.without_details || asks) opened = audit::OpenDetailBytes(entry.record, key);
    if (!opened.ok() && !absl::IsNotFound(opened.status())) return opened.status();
    if (!reading) SLUICE_RETURN_IF_ERROR(CheckAnswers(index, envelope, opened));

    proven.set_index(static_cast<int64_t>(index));
    SLUICE_ASSIGN_OR_RETURN(const std::vector<Hash> path,
                            audit::InclusionProof(index, plan_.head.checkpoint.size, subtrees_));
    if (const absl::Status holds = audit::CheckInclusion(index, plan_.head.checkpoint.size,
                                                         audit::LeafHash(entry.record.envelope),
                                                         path, plan_.head.checkpoint.root);
        !holds.ok())
      return absl::DataLossError(
          absl::StrCat("#", index, " as read back is not under the newest head"));
    for (const Hash& hash : path) proven.add_path(std::string(AsBytes(hash)));
    *proven.mutable_envelope() = std::move(entry.record.envelope);
    if (opened.ok() && !plan_.without_details) *proven.mutable_opened_detail() = *std::move(opened);
    return proven.ByteSizeLong();
  }

  // A detail that was erased meanwhile answers no more; its record was counted, and stays.
  absl::Status CheckAnswers(uint64_t index, const v1::AuditEnvelope& envelope,
                            const absl::StatusOr<std::string>& opened) const {
    const audit::RecordQuery& query = plan_.question.query;
    v1::AuditDetail detail;
    if (opened.ok() && !detail.ParseFromString(opened->substr(audit::kCommitmentRandomBytes)))
      return Vanished(index);
    if (query.AsksDetails() && !opened.ok()) return absl::OkStatus();
    if (!audit::Matches(query, plan_.question.scope, envelope, opened.ok() ? &detail : nullptr))
      return Vanished(index);
    return absl::OkStatus();
  }

  const LogReadingParts parts_;
  ExportPlan plan_;
  const audit::SubtreeHash subtrees_;
  std::deque<audit::Log::Entry> ahead_;  // of the plan's records, from `next_` on
  bool begun_ = false;
  size_t next_ = 0;
};

class CopyFeed : public LogFeed {
 public:
  CopyFeed(const LogReadingParts& parts, ProvingHead head, uint64_t from, uint64_t old_size)
      : parts_(parts), head_(std::move(head)), next_(from), old_size_(old_size) {}

  void Begin(int64_t read_index) override { read_index_ = read_index; }

  absl::StatusOr<Piece> Next(Micros) override {
    auto message = std::make_unique<v1::CopyEntriesResponse>();
    const uint64_t size = head_.checkpoint.size;
    if (!begun_) {
      message->set_checkpoint(head_.note);
      message->set_read_index(read_index_);
      if (old_size_ > 0 && old_size_ < size) {
        SLUICE_ASSIGN_OR_RETURN(
            const std::vector<Hash> path,
            audit::ConsistencyProof(old_size_, size, audit::SubtreesOf(parts_.log, size)));
        for (const Hash& hash : path) message->add_consistency(std::string(AsBytes(hash)));
      }
      begun_ = true;
    }
    size_t bytes = 0;
    if (next_ < size)
      SLUICE_RETURN_IF_ERROR(parts_.log.Read(next_, [&](const audit::Log::Entry& entry) {
        bytes += entry.record.envelope.size();
        message->add_entries(entry.record.envelope);
        return ++next_ < size && bytes < kBytesAPiece;
      }));
    Piece piece;
    piece.message = std::move(message);
    piece.last = next_ >= size;
    return piece;
  }

  std::optional<Reading> Ending() const override { return std::nullopt; }

 private:
  const LogReadingParts parts_;
  const ProvingHead head_;
  uint64_t next_;
  const uint64_t old_size_;
  int64_t read_index_ = 0;
  bool begun_ = false;
};

}  // namespace

absl::StatusOr<ProvingHead> HeadOver(const LogReadingParts& parts, uint64_t records) {
  for (auto waited = 0 * kLookForCosigned; waited < kWaitForCosigned; waited += kLookForCosigned) {
    const auto cosigned = parts.Cosigned();
    if (cosigned == nullptr) break;
    if (cosigned->checkpoint.size >= records)
      return ProvingHead{cosigned->note, cosigned->checkpoint};
    std::this_thread::sleep_for(kLookForCosigned);
  }
  ProvingHead head;
  for (const bool fresh : {false, true}) {
    SLUICE_ASSIGN_OR_RETURN(head.note, parts.log.Head(fresh));
    if (head.note.empty()) continue;
    SLUICE_ASSIGN_OR_RETURN(const audit::Note note, audit::ParseNote(head.note));
    SLUICE_ASSIGN_OR_RETURN(head.checkpoint, audit::ParseCheckpointBody(note.text));
    if (head.checkpoint.size >= records) return head;
  }
  return absl::DataLossError("the newest head does not cover what is synced");
}

std::unique_ptr<LogFeed> MakeExportFeed(const LogReadingParts& parts, ExportPlan plan) {
  return std::make_unique<ExportFeed>(parts, std::move(plan));
}

std::unique_ptr<LogFeed> MakeCopyFeed(const LogReadingParts& parts, ProvingHead head, uint64_t from,
                                      uint64_t old_size) {
  return std::make_unique<CopyFeed>(parts, std::move(head), from, old_size);
}

}  // namespace sluice::exchange
