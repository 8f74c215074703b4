#include "gateway/audit/scrub.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "gateway/audit/recovery.h"
#include "gateway/audit/verifier_parts.h"
#include "gateway/base/error.h"

namespace sluice::audit {

Scrub::Scrub(ScrubOptions options, Log& log, VerifierKey log_key, FileSystem& files,
             const Clock& clock)
    : options_(std::move(options)),
      log_(log),
      log_key_(std::move(log_key)),
      files_(files),
      clock_(clock) {}

Scrub::~Scrub() { Stop(); }

void Scrub::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Scrub::Stop() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void Scrub::Run() {
  do {
    Pass().IgnoreError();  // in the state
  } while (Rest(clock_.Monotonic() + options_.rest));
}

bool Scrub::Rest(Micros until) {
  MutexLock lock(mutex_);
  while (!stop_) {
    const Micros left = until - clock_.Monotonic();
    if (left <= 0) return true;
    changed_.WaitFor(mutex_, std::chrono::microseconds(std::min(left, kMinute)));
  }
  return false;
}

absl::Status Scrub::Pass() {
  const auto head = log_.Head(false);
  absl::Status found = head.status();
  if (found.ok() && !head->empty()) {
    const auto checkpoint = VerifyCheckpoint(*head, log_key_);
    found = checkpoint.ok() ? ReadUpTo(*checkpoint) : checkpoint.status();
  }
  MutexLock lock(mutex_);
  if (absl::IsCancelled(found)) return found;
  ++state_.passes;
  state_.ended = clock_.Now();
  return state_.found = found;
}

absl::Status Scrub::ReadUpTo(const Checkpoint& head) {
  std::string where;
  auto chain = ReadChain(files_, options_.directory, head.origin, where);
  if (!chain.ok()) return Annotate(chain.status(), where);
  if (chain->headers.empty()) return absl::DataLossError("segments/: no segment is left");
  LogCursor cursor = LogCursor::At(chain->headers[0]);
  const Micros began = clock_.Monotonic();
  uint64_t bytes = 0;
  for (size_t i = 0; i < chain->headers.size() && cursor.tree.size() < head.size; ++i) {
    const SegmentHeader& header = chain->headers[i];
    if (header.first_index != cursor.tree.size() || header.tree.hashes() != cursor.tree.hashes())
      return absl::DataLossError(
          absl::StrCat(Place(header.number, 0), ": does not continue the segment before it"));
    auto reader = SegmentReader::Open(files_, SegmentPath(options_.directory, header.number),
                                      ReadFrom::kStorage);
    if (!reader.ok()) return Annotate(reader.status(), Place(header.number, 0));
    const uint64_t end =
        i + 1 < chain->headers.size() ? chain->headers[i + 1].previous_end : reader->file_size();
    v1::AuditEnvelope envelope;
    while (reader->position() < end && cursor.tree.size() < head.size) {
      const uint64_t at = reader->position();
      const uint64_t first = cursor.tree.size();
      const auto batch = reader->Next(end);
      absl::Status status = batch.status();
      if (status.ok()) status = cursor.Take(*batch);
      for (size_t j = 0; status.ok() && j < batch->records.size(); ++j)
        status = CheckRecord(first + j, batch->records[j], envelope);
      if (!status.ok()) return Annotate(status, Place(header.number, at));
      bytes += batch->end - batch->offset;
      {
        MutexLock lock(mutex_);
        state_.records = cursor.tree.size();
      }
      const Micros due =
          options_.bytes_a_second == 0
              ? 0
              : began + static_cast<Micros>(static_cast<double>(bytes) /
                                            static_cast<double>(options_.bytes_a_second) *
                                            static_cast<double>(kSecond));
      if (!Rest(due)) return absl::CancelledError("stopped");
    }
  }
  if (cursor.tree.size() == head.size && cursor.tree.Root() == head.root) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the first ", head.size,
                                          " records as they lie there do not hash to the head that "
                                          "was signed over them"));
}

ScrubState Scrub::State() const {
  MutexLock lock(mutex_);
  return state_;
}

}  // namespace sluice::audit
