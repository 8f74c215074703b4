#include "cli/kept_receipts.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/failure.h"
#include "cli/methods.h"
#include "cli/named_file.h"
#include "cli/receipts.h"
#include "cli/stream_receipt.h"
#include "gateway/audit/log_copy.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/tiles.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostKept = 64 << 20;
constexpr uint64_t kMostBundleFile = 256 * (65535 + 2);
constexpr char kReceiptSuffix[] = ".receipt.json";
constexpr char kStreamSuffix[] = ".stream.json";

// "18342.json", "18342-f8fa5254.json", or one of the names of streams'.
bool IsReceiptName(const std::string& name) {
  if (absl::EndsWith(name, kReceiptSuffix) || absl::EndsWith(name, kStreamSuffix)) return true;
  if (!absl::EndsWith(name, ".json")) return false;
  const size_t digits = name.find_first_not_of("0123456789");
  return digits > 0 && (name[digits] == '.' || name[digits] == '-');
}

void TakeStream(const std::string& text, const audit::VerifierKey& key, KeptReceipt& kept) {
  kept.is_stream = true;
  const auto receipt = ParseStreamReceipt(text);
  if (!(kept.holds = receipt.status()).ok()) return;
  const auto proof = CheckStreamRecords(*receipt, key);
  if (!(kept.holds = proof.status()).ok()) return;
  kept.all.push_back(receipt->opened);
  kept.all.insert(kept.all.end(), receipt->parts.begin(), receipt->parts.end());
  if (receipt->latest) kept.all.push_back(*receipt->latest);
  kept.newest = kept.all.back();
  kept.envelope = proof->latest;
}

void TakeOne(const std::string& text, const audit::VerifierKey& key, KeptReceipt& kept) {
  auto receipt = ParseReceipt(text);
  if (!(kept.holds = receipt.status()).ok()) return;
  auto envelope = CheckReceipt(*receipt, key);
  if (!(kept.holds = envelope.status()).ok()) return;
  kept.newest = *std::move(receipt);
  kept.envelope = *std::move(envelope);
  kept.all.push_back(kept.newest);
}

absl::Status NotShown(const std::string& why) {
  return LocalError("PROOF_BROKEN",
                    absl::StrCat("the gateway did not prove what it answered: ", why, "."), {},
                    "tell the auditor; keep the receipts");
}

absl::Status AddProven(const v1::ProvenRecord& record, const audit::Checkpoint& head,
                       ProvenRecords& records) {
  std::vector<Hash> path;
  for (const std::string& hash : record.path()) {
    if (hash.size() != kHashSize) return NotShown("a hash has not 32 bytes");
    path.push_back(HashFromBytes(hash));
  }
  const absl::Status holds =
      audit::CheckInclusion(static_cast<uint64_t>(record.index()), head.size,
                            audit::LeafHash(record.envelope()), path, head.root);
  if (!holds.ok()) return NotShown(std::string(holds.message()));
  records.envelopes[record.index()] = record.envelope();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<KeptReceipt>> ReadKeptReceipts(FileSystem& files,
                                                          const std::string& folder,
                                                          const audit::VerifierKey& key) {
  const auto names = files.List(folder);
  if (!names.ok()) return NotRead(folder, names.status());
  std::vector<KeptReceipt> receipts;
  for (const std::string& name : *names) {
    if (!IsReceiptName(name)) continue;
    SLUICE_ASSIGN_OR_RETURN(const std::string text,
                            ReadNamedFile(files, JoinPath(folder, name), kMostKept));
    KeptReceipt kept;
    kept.file = name;
    kept.newest.set_index(-1);
    if (IsStreamReceipt(text))
      TakeStream(text, key, kept);
    else
      TakeOne(text, key, kept);
    receipts.push_back(std::move(kept));
  }
  std::stable_sort(receipts.begin(), receipts.end(),
                   [](const KeptReceipt& one, const KeptReceipt& other) {
                     return one.newest.index() < other.newest.index();
                   });
  return receipts;
}

absl::StatusOr<std::string> DataOfReceipt(FileSystem& files, const std::string& folder,
                                          const KeptReceipt& receipt, const audit::VerifierKey& key,
                                          bool* changed) {
  *changed = false;
  if (!receipt.holds.ok()) return std::string();
  if (receipt.is_stream) {
    if (!absl::EndsWith(receipt.file, kReceiptSuffix)) return std::string();
    const std::string data =
        receipt.file.substr(0, receipt.file.size() - (sizeof(kReceiptSuffix) - 1));
    if (!files.Stat(JoinPath(folder, data)).ok()) return std::string();
    SLUICE_ASSIGN_OR_RETURN(const std::string text,
                            ReadNamedFile(files, JoinPath(folder, receipt.file), kMostKept));
    SLUICE_ASSIGN_OR_RETURN(const StreamReceipt stream, ParseStreamReceipt(text));
    *changed = !CheckStreamFile(stream, key, JoinPath(folder, data), files).ok();
    return data;
  }
  if (receipt.envelope.digest().empty()) return std::string();
  SLUICE_ASSIGN_OR_RETURN(const auto names, files.List(folder));
  for (const std::string& name : names) {
    const std::string path = JoinPath(folder, name);
    const auto info = files.Stat(path);
    if (!info.ok() || info->is_directory || IsReceiptName(name) ||
        info->size != static_cast<uint64_t>(receipt.envelope.payload_bytes()))
      continue;
    SLUICE_ASSIGN_OR_RETURN(const std::string bytes, ReadNamedFile(files, path, kMostKept));
    if (CheckPayload(receipt.envelope, bytes).ok()) return name;
  }
  return std::string();
}

absl::StatusOr<ProvenRecords> ProvenByGateway(Session& session, const v1::RecordFilter& filter,
                                              const audit::VerifierKey& key) {
  v1::ExportRequest request;
  *request.mutable_filter() = filter;
  request.set_without_details(true);
  SLUICE_ASSIGN_OR_RETURN(Gateway* const gateway, session.GetGateway());
  SLUICE_ASSIGN_OR_RETURN(const Micros deadline, session.StreamDeadline());
  ProvenRecords records;
  audit::Checkpoint head;
  int64_t count = -1;
  SLUICE_RETURN_IF_ERROR(
      CallStream(*gateway, kExport, request, deadline, [&](v1::ExportResponse& message) {
        if (message.has_start()) {
          auto checkpoint = audit::VerifyCheckpoint(message.start().checkpoint(), key);
          if (!checkpoint.ok()) return NotShown(std::string(checkpoint.status().message()));
          head = *std::move(checkpoint);
          count = message.start().count();
        }
        for (const v1::ProvenRecord& record : message.records())
          SLUICE_RETURN_IF_ERROR(AddProven(record, head, records));
        return absl::OkStatus();
      }));
  if (count != static_cast<int64_t>(records.envelopes.size()))
    return NotShown("it announced another number of records than came");
  records.size = static_cast<int64_t>(head.size);
  return records;
}

absl::Status AddProvenByGateway(Session& session, int64_t index, const audit::VerifierKey& key,
                                ProvenRecords& records) {
  v1::ProveRecordRequest request;
  request.set_index(index);
  const auto answer = Ask(session, kProveRecord, request);
  if (ReasonOf(answer.status()) == v1::REASON_RECORD_NOT_FOUND) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(answer.status());
  const auto proof = audit::ParseTlogProof(answer->proof());
  if (!proof.ok()) return NotShown(std::string(proof.status().message()));
  if (proof->index != static_cast<uint64_t>(index)) return NotShown("it proved another record");
  const absl::Status holds = audit::VerifyTlogProof(*proof, answer->envelope(), key);
  if (!holds.ok()) return NotShown(std::string(holds.message()));
  records.envelopes[index] = answer->envelope();
  return absl::OkStatus();
}

absl::StatusOr<ProvenRecords> ProvenByCopy(FileSystem& files, const std::string& folder,
                                           const std::vector<int64_t>& indices,
                                           const audit::VerifierKey& key) {
  const auto broken = [&](const std::string& what) {
    return LocalError("LOG_BROKEN", what, {{"copy", folder}},
                      "look what of it holds: sluice audit verify DIR --key log.vkey");
  };
  SLUICE_ASSIGN_OR_RETURN(
      const std::string note,
      ReadNamedFile(files, JoinPath(folder, audit::kCopyCheckpoint), kMostBundleFile));
  const auto head = audit::VerifyCheckpoint(note, key);
  if (!head.ok()) return broken(absl::StrCat("checkpoint: ", std::string(head.status().message())));
  const auto read = [&](const audit::TileId& id) {
    return files.ReadAll(JoinPath(folder, audit::TilePath(id)), kMostBundleFile);
  };
  const audit::SubtreeHash subtree = audit::SubtreesFromTiles(head->size, read);
  ProvenRecords records;
  records.size = static_cast<int64_t>(head->size);
  for (const int64_t index : indices) {
    const auto at = static_cast<uint64_t>(index);
    if (index < 0 || at >= head->size) continue;
    const uint64_t first = at - at % audit::kTileWidth;
    const auto width = static_cast<uint32_t>(std::min(audit::kTileWidth, head->size - first));
    const auto bundle = read({.level = -1, .index = first / audit::kTileWidth, .width = width});
    if (!bundle.ok()) return broken(std::string(bundle.status().message()));
    const auto entries = audit::DecodeBundle(*bundle);
    if (!entries.ok() || entries->size() <= at - first) return broken("an entry bundle is cut");
    const std::string& entry = (*entries)[at - first];
    const auto path = audit::InclusionProof(at, head->size, subtree);
    if (!path.ok() ||
        !audit::CheckInclusion(at, head->size, audit::LeafHash(entry), *path, head->root).ok())
      return broken(absl::StrCat("#", index, " is not under the checkpoint of the copy"));
    records.envelopes[index] = entry;
  }
  return records;
}

}  // namespace sluice::cli
