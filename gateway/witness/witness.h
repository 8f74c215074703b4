// A witness of logs: cosigns a head where it continues the one that it cosigned before, and
// remembers it. Two parties that hold heads with its cosignature were shown one and the same log.
// Answers are those of C2SP tlog-witness v1. Knows nothing of HTTP.
//
//   directory/<hex of SHA-256 of the origin>   the newest head of a log, its signature and ours
//   directory/evidence/<id>.held, .offered     two heads that do not go together
//   directory/lock
//
// A head is on stable storage before its cosignature is given, and replaces the one before only
// where that is the one which was compared: one lock over comparing and storing, here and over the
// folder. What cannot be stored is not signed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/signing_key.h"
#include "gateway/base/clock.h"
#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"
#include "gateway/base/operational_log.h"
#include "gateway/witness/add_checkpoint.h"

namespace sluice::witness {

struct WitnessOptions {
  std::string directory;
  std::vector<audit::VerifierKey> logs;  // of type Ed25519; a log's origin is its key's name
};

struct WitnessAnswer {
  int status = 200;  // of HTTP
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

// Any thread.
class Witness {
 public:
  // Reads what is remembered. FAILED_PRECONDITION where another process has the folder; DATA_LOSS
  // where a file is not one that this witness wrote: it signs nothing then. Files, clock and log
  // outlive it.
  static absl::StatusOr<std::unique_ptr<Witness>> Open(const WitnessOptions& options,
                                                       audit::NamedSigningKey key,
                                                       FileSystem& files, const Clock& clock,
                                                       OperationalLog& operations);

  // The body of add-checkpoint, and what to answer:
  //   200  our signature line         400  malformed, or the old size is above the new
  //   403  not signed by the log      404  a log that is not known
  //   409  the old size is not that of the last head; the body says which that is
  //   422  the new head does not continue the last one
  //   503  it could not be stored: nothing is signed
  // Where a log signed what does not go together, both heads are kept and the operational log says
  // witness_split_view (two roots of one size: a proof) or witness_inconsistent (the proof that was
  // handed in does not hold, by whosever fault).
  WitnessAnswer Add(std::string_view body);

  // The newest head of the log with that origin, by the hex of its SHA-256; nothing where there is
  // none.
  std::optional<std::string> Newest(const std::string& origin_hash) const;
  const audit::VerifierKey& key() const { return key_.verifier; }

 private:
  // What is known of a log.
  struct Known {
    audit::VerifierKey key;
    std::string file;
    std::optional<audit::Checkpoint> held;
    uint64_t seconds = 0;  // of the cosignature
    std::string note;
  };

  Witness(const WitnessOptions& options, audit::NamedSigningKey key, FileSystem& files,
          const Clock& clock, OperationalLog& operations);
  absl::Status Load() SLUICE_REQUIRES(mutex_);
  WitnessAnswer Judge(Known& log, const AddCheckpoint& request, const audit::Checkpoint& offered)
      SLUICE_REQUIRES(mutex_);
  WitnessAnswer Cosign(Known& log, const AddCheckpoint& request, const audit::Checkpoint& offered)
      SLUICE_REQUIRES(mutex_);
  void Tell(const char* event, const char* message, const Known& log, const AddCheckpoint& request,
            const audit::Checkpoint& offered) SLUICE_REQUIRES(mutex_);

  const std::string directory_;
  const audit::NamedSigningKey key_;
  FileSystem& files_;
  const Clock& clock_;
  OperationalLog& operations_;
  std::unique_ptr<FileLock> lock_;
  mutable Mutex mutex_;
  std::map<std::string, Known, std::less<>> logs_ SLUICE_GUARDED_BY(mutex_);  // by origin
  size_t evidence_ SLUICE_GUARDED_BY(mutex_) = 0;                             // files that are kept
};

}  // namespace sluice::witness
