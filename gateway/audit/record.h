// From what happened to what is stored: an envelope, a detail, their hashes, and the seal
// (docs/formats/audit-record.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/log.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {

inline constexpr size_t kMaxDetailBytes = 1 << 20;
// What sealing adds to a detail: version, salt, 32 random bytes, tag.
inline constexpr size_t kSealBytes = 1 + 32 + 32 + 16;

// What a caller fills: everything but time, clock, hashes and key, which Seal sets. first_page and
// repeats must be set to -1 where they do not apply: NewDraft does. A retention class that is not
// set means three years.
struct Draft {
  v1::AuditEnvelope envelope;
  v1::AuditDetail detail;
  // At least so many search tags, whatever the detail lists (search_tags.h): for a record whose
  // size may not tell what was found.
  size_t least_tags = 0;
};
Draft NewDraft(v1::RecordKind kind);

// The keys of details: 32 random bytes a month (UTC) and retention class, made on first use, each a
// file "<directory>/2026-11-three-years.key" (0600), synced before its first use. Any thread.
//
// To drop a key, delete its file: details sealed under it are erased from then on, in a running
// gateway as well, since opening always reads the file. Drop only keys of months that are over.
class DetailKeys {
 public:
  // Makes the directory where it is absent. FAILED_PRECONDITION or DATA_LOSS, naming the file,
  // where others may read or change a key, or one has not 32 bytes.
  static absl::StatusOr<std::unique_ptr<DetailKeys>> Open(const std::string& directory,
                                                          FileSystem& files, RandomSource& random);
  // Name as in AuditEnvelope.detail_key: "2026-11/three-years"; INVALID_ARGUMENT for any other
  // form. Does I/O for the first record of a month and class only.
  absl::StatusOr<std::string> ForSealing(const std::string& name);
  // NOT_FOUND where the key was dropped: the detail is erased.
  absl::StatusOr<std::string> ForOpening(const std::string& name) const;
  // Whether ForOpening would say NOT_FOUND, without reading the key.
  bool Dropped(const std::string& name) const;
  // Of all keys that are kept, sorted.
  absl::StatusOr<std::vector<std::string>> Names() const;
  // When a key was last made or dropped, by the clock of the file system, which stands still for
  // some milliseconds at a time; nothing where it cannot be told.
  std::optional<Micros> LastChanged() const;

 private:
  DetailKeys(std::string directory, FileSystem& files, RandomSource& random);
  absl::StatusOr<std::string> Load(const std::string& name) const;
  absl::StatusOr<std::string> Make(const std::string& name) SLUICE_REQUIRES(mutex_);
  const std::string directory_;
  FileSystem& files_;
  RandomSource& random_;
  mutable Mutex mutex_;
  std::map<std::string, std::string> keys_ SLUICE_GUARDED_BY(mutex_);
};

// Seals drafts. Any thread; the common path takes no I/O.
class RecordSealer {
 public:
  // What kept a key from being made or read, for the operational log: the answer's own sentence may
  // reach a peer and does not say. Called on the sealing thread.
  using OnKeyFailure = std::function<void(const absl::Status&)>;

  RecordSealer(DetailKeys& keys, const Clock& clock, RandomSource& random,
               OnKeyFailure on_key_failure = nullptr);
  // RESULT_TOO_LARGE where envelope or detail is over its bound; AUDIT_UNAVAILABLE where the
  // month's key cannot be made.
  absl::StatusOr<SealedRecord> Seal(Draft draft);

 private:
  DetailKeys& keys_;
  const Clock& clock_;
  RandomSource& random_;
  const OnKeyFailure on_key_failure_;
};

// Checks both hashes, opens the seal, which binds the envelope byte by byte. NOT_FOUND where the
// key was dropped; DATA_LOSS where anything does not hold.
absl::StatusOr<v1::AuditDetail> OpenDetail(const SealedRecord& record, const DetailKeys& keys);
// The same for whoever opens many and asks for each key but once.
using KeyForOpening = std::function<absl::StatusOr<std::string>(const std::string& name)>;
absl::StatusOr<v1::AuditDetail> OpenDetail(const SealedRecord& record, const KeyForOpening& key);
// The same as bytes: 32 random ones and the serialised detail, whose SHA-256 is the envelope's
// detail_commitment.
absl::StatusOr<std::string> OpenDetailBytes(const SealedRecord& record, const KeyForOpening& key);
inline constexpr size_t kCommitmentRandomBytes = 32;

}  // namespace sluice::audit
