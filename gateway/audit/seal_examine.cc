#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/audit/heads.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/seal.h"
#include "gateway/audit/segment_reader.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

// What stands in the segments from that place on, but for the zeros that they were made with.
absl::StatusOr<uint64_t> BytesBehind(const std::string& directory, FileSystem& files,
                                     uint64_t segment, uint64_t offset) {
  const std::string folder = JoinPath(directory, "segments");
  SLUICE_ASSIGN_OR_RETURN(const auto names, files.List(folder));
  uint64_t bytes = 0;
  for (const std::string& name : names) {
    const uint64_t number = SegmentNumber(name);
    if (number != 0 && number < segment) continue;
    SLUICE_ASSIGN_OR_RETURN(
        auto reader, SegmentReader::Open(files, JoinPath(folder, name), ReadFrom::kCacheAllowed));
    const uint64_t begin = number == segment ? std::min(offset, reader.file_size()) : 0;
    SLUICE_ASSIGN_OR_RETURN(const uint64_t end, reader.EndOfBytes(begin, reader.file_size()));
    bytes += end - begin;
  }
  return bytes;
}

// All sound heads of the folder, where they are signed by the key; what is damaged is passed over.
absl::StatusOr<std::vector<Checkpoint>> HeadsIn(const std::string& directory, FileSystem& files,
                                                const VerifierKey& key) {
  std::vector<Checkpoint> found;
  const auto names = files.List(HeadsDirectory(directory));
  if (absl::IsNotFound(names.status())) return found;
  SLUICE_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text,
                            files.ReadAll(JoinPath(HeadsDirectory(directory), name)));
    for (const StoredHead& head : ParseHeads(text, key).heads) found.push_back(head.checkpoint);
  }
  return found;
}

}  // namespace

absl::StatusOr<SealStatement> ExamineForSeal(const std::string& directory, const VerifierKey& key,
                                             FileSystem& files,
                                             const std::vector<std::string>& heads) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<Checkpoint> known, HeadsIn(directory, files, key));
  for (const std::string& note : heads) {
    const auto head = VerifyCheckpoint(note, key);
    if (!head.ok()) return absl::InvalidArgumentError(head.status().message());
    known.push_back(*head);
  }
  SealStatement statement;
  statement.origin = key.name;
  statement.key_digest = Sha256(key.public_key);
  LogBroken broken;
  const auto report = VerifyLog(directory, key, files, &broken, nullptr);
  if (report.ok()) {
    statement.size = report->records;
    statement.root = report->root;
  } else if (absl::IsDataLoss(report.status())) {
    statement.size = broken.records;
    statement.root = broken.root;
    SLUICE_ASSIGN_OR_RETURN(statement.bytes_behind,
                            BytesBehind(directory, files, broken.segment, broken.offset));
  } else {
    return report.status();
  }
  statement.head_size = statement.size;
  statement.head_root = statement.root;
  for (const Checkpoint& head : known) {
    if (head.size == statement.head_size && head.root != statement.head_root)
      return absl::DataLossError(
          absl::StrCat("two histories of ", head.size,
                       " records were signed: this log is a fork. Keep both; "
                       "they are evidence"));
    if (head.size < statement.head_size) continue;
    statement.head_size = head.size;
    statement.head_root = head.root;
  }
  return statement;
}

}  // namespace sluice::audit
