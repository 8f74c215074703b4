// sluice receipts check of a folder: a line for each receipt.
#pragma once

#include <string>

#include "cli/session.h"
#include "gateway/audit/signed_note.h"

namespace sluice::cli {

// Where the log's records are looked for.
struct ReceiptsLog {
  bool gateway = false;  // the profile's
  std::string copy;      // a folder of audit pull
};

// RECEIPT_BROKEN, exit 1, where any of them does not hold, is not in the log, or is of a file that
// was changed; the table is printed before.
absl::Status CheckReceiptsFolder(Session& session, const std::string& folder,
                                 const audit::VerifierKey& key, const ReceiptsLog& log);

}  // namespace sluice::cli
