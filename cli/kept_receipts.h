// A folder of receipts, as query and read keep them, and what the log has of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/session.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/file_system.h"
#include "sluice/v1/audit.pb.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::cli {

struct KeptReceipt {
  std::string file;              // its name in the folder
  bool is_stream = false;        // of a stream: FILE.receipt.json, INDEX.stream.json
  absl::Status holds;            // why it proves nothing, otherwise
  v1::Receipt newest;            // of the record that says most
  v1::AuditEnvelope envelope;    // of that record
  std::vector<v1::Receipt> all;  // each record that it proves, that one as well
};

// By index; those that do not hold first. Files that are not named as receipts are passed over.
// FILE_NOT_READ where the folder or a file in it cannot be read.
absl::StatusOr<std::vector<KeptReceipt>> ReadKeptReceipts(FileSystem& files,
                                                          const std::string& folder,
                                                          const audit::VerifierKey& key);

// The file that the receipt is about, of those in the folder: "FILE", or "" where there is none.
// `changed` is set where the file is there, and is not what was let go.
absl::StatusOr<std::string> DataOfReceipt(FileSystem& files, const std::string& folder,
                                          const KeptReceipt& receipt, const audit::VerifierKey& key,
                                          bool* changed);

// Records that were proved to be in the log, by index, under one head that its key signed.
struct ProvenRecords {
  int64_t size = 0;  // of that head
  std::map<int64_t, std::string> envelopes;
};

// What the filter finds, asked from the gateway in one reading, without details.
absl::StatusOr<ProvenRecords> ProvenByGateway(Session& session, const v1::RecordFilter& filter,
                                              const audit::VerifierKey& key);
// Adds that record, if the gateway has it and the caller may see it.
absl::Status AddProvenByGateway(Session& session, int64_t index, const audit::VerifierKey& key,
                                ProvenRecords& records);
// Those records, from a copy of the log (audit pull).
absl::StatusOr<ProvenRecords> ProvenByCopy(FileSystem& files, const std::string& folder,
                                           const std::vector<int64_t>& indices,
                                           const audit::VerifierKey& key);

}  // namespace sluice::cli
