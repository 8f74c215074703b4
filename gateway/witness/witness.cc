#include "gateway/witness/witness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/audit/cosignature.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/text_lines.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::witness {
namespace {

using audit::Checkpoint;

constexpr uint64_t kMostNote = 64 << 10;
// Whoever has one signed head can make up proofs that do not hold: the disk is not theirs to fill.
constexpr size_t kMostEvidence = 2000;

WitnessAnswer Say(int status, std::string_view sentence) {
  WitnessAnswer answer;
  answer.status = status;
  answer.body = absl::StrCat(View(sentence), "\n");
  return answer;
}

std::string OriginOf(std::string_view note) { return std::string(note.substr(0, note.find('\n'))); }

// A body that is a checkpoint but for its root: size 0 has that of the empty tree.
bool IsEmptyTreeWithAnotherRoot(std::string_view body) {
  audit::TakeLine(body);
  const auto size = audit::TakeLine(body);
  const auto root = audit::TakeLine(body);
  return size == "0" && root && audit::ParseHash(*root).ok();
}

}  // namespace

Witness::Witness(const WitnessOptions& options, audit::NamedSigningKey key, FileSystem& files,
                 const Clock& clock, OperationalLog& operations)
    : directory_(options.directory),
      key_(std::move(key)),
      files_(files),
      clock_(clock),
      operations_(operations) {
  MutexLock lock(mutex_);
  for (const audit::VerifierKey& log : options.logs) {
    Known& known = logs_[log.name];
    known.key = log;
    known.file = JoinPath(directory_, HexEncode(AsBytes(Sha256(log.name))));
  }
}

absl::StatusOr<std::unique_ptr<Witness>> Witness::Open(const WitnessOptions& options,
                                                       audit::NamedSigningKey key,
                                                       FileSystem& files, const Clock& clock,
                                                       OperationalLog& operations) {
  if (key.verifier.type != audit::KeyType::kCosignatureV1)
    return absl::InvalidArgumentError("a witness signs with a key of type 04");
  SLUICE_RETURN_IF_ERROR(files.CreateDirectories(JoinPath(options.directory, "evidence")));
  SLUICE_RETURN_IF_ERROR(files.SyncDirectory(options.directory));
  std::unique_ptr<Witness> witness(new Witness(options, std::move(key), files, clock, operations));
  SLUICE_ASSIGN_OR_RETURN(witness->lock_, files.Lock(JoinPath(options.directory, "lock")));
  MutexLock lock(witness->mutex_);
  SLUICE_RETURN_IF_ERROR(witness->Load());
  return witness;
}

absl::Status Witness::Load() {
  for (auto& [origin, log] : logs_) {
    const auto info = files_.Stat(log.file);
    if (absl::IsNotFound(info.status())) continue;
    SLUICE_ASSIGN_OR_RETURN(log.note, files_.ReadAll(log.file, kMostNote));
    auto held = audit::VerifyCosignedCheckpoint(log.note, key_.verifier, origin, &log.seconds);
    if (!held.ok())
      return absl::DataLossError(absl::StrCat(
          log.file, ": is no head of ", origin, " that this key cosigned (",
          std::string(held.status().message()),
          "). next  put back the file, or the key, that belongs here; without the file this "
          "witness would cosign any history: never remove it"));
    log.held = *std::move(held);
  }
  SLUICE_ASSIGN_OR_RETURN(const auto kept, files_.List(JoinPath(directory_, "evidence")));
  evidence_ = kept.size();
  return absl::OkStatus();
}

WitnessAnswer Witness::Add(std::string_view body) {
  const auto request = ParseAddCheckpoint(body);
  if (!request.ok()) return Say(400, std::string(request.status().message()));
  if (const auto note = audit::ParseNote(request->checkpoint); !note.ok())
    return Say(400, std::string(note.status().message()));
  MutexLock lock(mutex_);
  const auto log = logs_.find(OriginOf(request->checkpoint));
  if (log == logs_.end()) return Say(404, "this witness does not know the log");
  const auto verified = audit::VerifyNote(request->checkpoint, {log->second.key});
  if (!verified.ok()) return Say(403, std::string(verified.status().message()));
  const auto offered = audit::ParseCheckpointBody(verified->text);
  if (!offered.ok())
    return Say(IsEmptyTreeWithAnotherRoot(verified->text) ? 422 : 400,
               std::string(offered.status().message()));
  return Judge(log->second, *request, *offered);
}

WitnessAnswer Witness::Judge(Known& log, const AddCheckpoint& request, const Checkpoint& offered) {
  if (request.old_size > offered.size) return Say(400, "the old size is above the new one");
  const uint64_t last = log.held ? log.held->size : 0;
  const bool is_fork = log.held && offered.size == last && offered.root != log.held->root;
  if (is_fork)
    Tell("witness_split_view", "the log signed two roots of one size", log, request, offered);
  if (request.old_size != last) {
    WitnessAnswer answer = Say(409, absl::StrCat(last));
    answer.type = kSizeType;
    return answer;
  }
  if (is_fork) return Say(422, "another root of this size was cosigned");
  if (offered.size == last || last == 0) {
    if (!request.proof.empty()) return Say(422, "there is nothing to prove, so no proof belongs");
    return Cosign(log, request, offered);
  }
  const absl::Status continues =
      audit::CheckConsistency(last, offered.size, log.held->root, offered.root, request.proof);
  if (continues.ok()) return Cosign(log, request, offered);
  Tell("witness_inconsistent", "no proof that the log continues what it signed before", log,
       request, offered);
  return Say(422, std::string(continues.message()));
}

// Both heads, once for each pair.
void Witness::Tell(const char* event, const char* message, const Known& log,
                   const AddCheckpoint& request, const Checkpoint& offered) {
  const std::string id =
      HexEncode(AsBytes(Sha256({log.note, "\n", request.checkpoint})).substr(0, 16));
  const std::string path = JoinPath(JoinPath(directory_, "evidence"), id);
  if (files_.Stat(path + ".offered").ok() || evidence_ >= kMostEvidence) return;
  absl::Status kept = files_.WriteAtomically(path + ".held", log.note);
  if (kept.ok()) kept = files_.WriteAtomically(path + ".offered", request.checkpoint);
  if (kept.ok()) evidence_ += 2;
  operations_.Write(
      Severity::kError, event, message,
      {{"log", log.key.name},
       {"size_held", absl::StrCat(log.held->size)},
       {"size_offered", absl::StrCat(offered.size)},
       {"root_held", Base64Encode(AsBytes(log.held->root))},
       {"root_offered", Base64Encode(AsBytes(offered.root))},
       {"evidence", kept.ok() ? absl::StrCat(path, ".held and .offered")
                              : absl::StrCat("not kept: ", std::string(kept.message()))}});
}

WitnessAnswer Witness::Cosign(Known& log, const AddCheckpoint& request, const Checkpoint& offered) {
  const auto note = audit::ParseNote(request.checkpoint);
  // A clock that went back does not take back what was said before.
  const uint64_t seconds = std::max<uint64_t>(
      log.seconds, static_cast<uint64_t>(std::max<Micros>(clock_.Now() / kSecond, 0)));
  const std::string line = audit::CosignatureLine(note->text, key_, seconds);
  std::string kept = note->text + "\n";
  for (const audit::NoteSignature& signature : note->signatures)
    if (signature.name == log.key.name && signature.id == log.key.id)
      kept += audit::FormatSignatureLine(signature);
  kept += line;
  if (const absl::Status written = files_.WriteAtomically(log.file, kept); !written.ok()) {
    operations_.Write(Severity::kError, "witness_cannot_write",
                      absl::StrCat("nothing is cosigned: ", std::string(written.message())),
                      {{"log", log.key.name}});
    return Say(503, "the head cannot be stored, so it is not cosigned");
  }
  log.held = offered;
  log.seconds = seconds;
  log.note = std::move(kept);
  WitnessAnswer answer;
  answer.body = line;
  return answer;
}

std::optional<std::string> Witness::Newest(const std::string& origin_hash) const {
  MutexLock lock(mutex_);
  for (const auto& [origin, log] : logs_)
    if (log.held && HexEncode(AsBytes(Sha256(origin))) == origin_hash) return log.note;
  return std::nullopt;
}

}  // namespace sluice::witness
