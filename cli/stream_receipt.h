// What is kept beside the file of a stream, so that the file can be checked at any later time, with
// the log's verifier key alone (docs/formats/stream.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/file_system.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::cli {

struct StreamReceipt {
  std::string media_type;
  v1::Receipt opened;
  // The OPENED receipts of further parts, where the stream went on after a cut.
  std::vector<v1::Receipt> parts;
  // The newest that covers the file: CLOSED of a whole stream, PROGRESS of one that was cut; none
  // where nothing came before it was cut.
  std::optional<v1::Receipt> latest;
  // Bytes of each batch in the file, one after the other.
  std::vector<int64_t> batch_lengths;
  // Digests of batches that the last PROGRESS covers and that never came.
  std::vector<std::string> missing_digests;

  const v1::Receipt& last_opened() const { return parts.empty() ? opened : parts.back(); }
};

std::string FormatStreamReceipt(const StreamReceipt& receipt);
bool IsStreamReceipt(std::string_view text);
// INVALID_ARGUMENT where the text is none; what it says is not checked here.
absl::StatusOr<StreamReceipt> ParseStreamReceipt(std::string_view text);

struct StreamProof {
  v1::AuditEnvelope opened;  // of the last part
  v1::AuditEnvelope latest;  // OPENED's again where there is no other
  int64_t rows = 0;          // of all parts, as the latest says
  bool whole = false;
  int64_t bytes = 0;  // of the file
};

// Whether the records belong together and are what they must be; the digest is the caller's.
absl::StatusOr<StreamProof> CheckStreamRecords(const StreamReceipt& receipt,
                                               const audit::VerifierKey& key);
// Also that this file holds exactly what was let go. Reads it once, a batch at a time.
absl::StatusOr<StreamProof> CheckStreamFile(const StreamReceipt& receipt,
                                            const audit::VerifierKey& key, const std::string& file,
                                            FileSystem& files);

}  // namespace sluice::cli
