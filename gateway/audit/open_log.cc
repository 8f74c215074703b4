#include "absl/strings/str_cat.h"
#include "gateway/audit/file_log.h"
#include "gateway/audit/recovery.h"
#include "gateway/audit/wire.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr uint64_t kMinSegment = 4 * kBlock;
// A batch that closes at this size still fits a frame with one more record at its largest.
constexpr size_t kMaxBatch = 8 << 20;

absl::StatusOr<VerifierKey> CheckOptions(const LogOptions& options, const SigningKey& key) {
  if (options.directory.empty()) return absl::InvalidArgumentError("the log has no directory");
  if (options.origin.size() > kMaxOrigin)
    return absl::InvalidArgumentError(
        absl::StrCat("the log's origin is over ", kMaxOrigin, " bytes"));
  if (options.segment_bytes < kMinSegment)
    return absl::InvalidArgumentError(
        absl::StrCat("a segment has ", kMinSegment, " bytes at least"));
  if (options.batch_bytes > kMaxBatch || options.batch_records == 0)
    return absl::InvalidArgumentError(
        absl::StrCat("a batch has one record at least and ", kMaxBatch, " bytes at most"));
  return MakeVerifierKey(options.origin, KeyType::kEd25519, key.public_key());
}

// The folders, and their names in the folder above, are on the storage before anything is in them.
absl::Status MakeFolders(const LogOptions& options, FileSystem& files) {
  for (const char* name : {"segments", "heads"})
    SLUICE_RETURN_IF_ERROR(files.CreateDirectories(JoinPath(options.directory, name)));
  SLUICE_RETURN_IF_ERROR(files.SyncDirectory(options.directory));
  SLUICE_ASSIGN_OR_RETURN(const auto segments, files.List(JoinPath(options.directory, "segments")));
  if (segments.empty()) return files.SyncDirectory(DirectoryOf(options.directory));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Log>> OpenLog(const LogOptions& options, FileSystem& files,
                                             const Clock& clock, const SigningKey& key,
                                             RecoveryReport* report) {
  SLUICE_ASSIGN_OR_RETURN(const VerifierKey verifier, CheckOptions(options, key));
  if (!options.kept_head.empty() && !files.Stat(DirectoryOf(options.kept_head)).ok())
    return absl::FailedPreconditionError(
        absl::StrCat(DirectoryOf(options.kept_head), ": the folder for the kept head is missing"));
  SLUICE_RETURN_IF_ERROR(MakeFolders(options, files));
  SLUICE_ASSIGN_OR_RETURN(auto lock, files.Lock(JoinPath(options.directory, "lock")));
  SLUICE_ASSIGN_OR_RETURN(FolderState state, InspectFolder(options, files, verifier));
  if (report != nullptr) *report = state.report;
  SLUICE_RETURN_IF_ERROR(MakeReady(options, files, state));
  return FileLog::Start(options, files, clock, key, std::move(state), std::move(lock));
}

}  // namespace sluice::audit
