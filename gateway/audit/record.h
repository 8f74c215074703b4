// From what happened to what is stored: an envelope, a detail, their hashes, and the seal
// (docs/formats/audit-record.md).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/audit/log.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {

// What a caller fills: everything but time, clock, hashes and key, which Seal sets. first_page and
// repeats must be set to -1 where they do not apply: NewDraft does.
struct Draft {
  v1::AuditEnvelope envelope;
  v1::AuditDetail detail;
};
Draft NewDraft(v1::RecordKind kind);

// The keys of details: 32 random bytes a month and retention class, made on first use, each a file
// "<directory>/2026-11-three-years.key" (0600), synced before its first use. Any thread.
class DetailKeys {
 public:
  static absl::StatusOr<std::unique_ptr<DetailKeys>> Open(const std::string& directory,
                                                          FileSystem& files, RandomSource& random);
  // Name as in AuditEnvelope.detail_key: "2026-11/three-years".
  absl::StatusOr<std::string> ForSealing(const std::string& name);
  // NOT_FOUND where the key was dropped: the detail is erased.
  absl::StatusOr<std::string> ForOpening(const std::string& name) const;

 private:
  DetailKeys(std::string directory, FileSystem& files, RandomSource& random);
  const std::string directory_;
  FileSystem& files_;
  RandomSource& random_;
  mutable Mutex mutex_;
  std::map<std::string, std::string> keys_ SLUICE_GUARDED_BY(mutex_);
};

// Seals drafts. Any thread; the common path takes no I/O.
class RecordSealer {
 public:
  RecordSealer(DetailKeys& keys, const Clock& clock, RandomSource& random);
  // RESULT_TOO_LARGE where envelope or detail is over its bound; AUDIT_UNAVAILABLE where the month's
  // key cannot be made.
  absl::StatusOr<SealedRecord> Seal(Draft draft);

 private:
  DetailKeys& keys_;
  const Clock& clock_;
  RandomSource& random_;
};

// Checks both hashes, opens the seal. NOT_FOUND where the key was dropped; DATA_LOSS where a hash or
// the seal does not hold.
absl::StatusOr<v1::AuditDetail> OpenDetail(const SealedRecord& record, const DetailKeys& keys);

}  // namespace sluice::audit
