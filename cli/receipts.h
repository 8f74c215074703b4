// Receipts as files: a JSON object with the fields of sluice.v1.Receipt, bytes in base64.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/file_system.h"
#include "nlohmann/json.hpp"
#include "sluice/v1/audit_record.pb.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::cli {

std::string FormatReceipt(const v1::Receipt& receipt);
// INVALID_ARGUMENT where the text is none; what it says is not checked here.
absl::StatusOr<v1::Receipt> ParseReceipt(std::string_view text);
absl::StatusOr<v1::Receipt> ReceiptFromJson(const nlohmann::json& json);

// LocalError RECEIPT_BROKEN.
absl::Status ReceiptBroken(std::string_view what);

// The envelope that the receipt proves; LocalError RECEIPT_BROKEN where it does not hold.
absl::StatusOr<v1::AuditEnvelope> CheckReceipt(const v1::Receipt& receipt,
                                               const audit::VerifierKey& key);
// Also that these are the bytes that were let go.
absl::Status CheckPayload(const v1::AuditEnvelope& envelope, std::string_view payload);
// Everything about an answer that its receipt must prove before any of it is shown.
absl::StatusOr<v1::AuditEnvelope> CheckAnswer(const v1::QueryRequest& request,
                                              const v1::QueryResponse& response,
                                              const audit::VerifierKey& key);
// The same of a check, which comes with no rows.
absl::StatusOr<v1::AuditEnvelope> CheckChecked(const v1::CheckRequest& request,
                                               const v1::CheckResponse& response,
                                               const audit::VerifierKey& key);
// The same of a match and of a count.
absl::StatusOr<v1::AuditEnvelope> CheckMatch(const v1::MatchRequest& request,
                                             const v1::MatchResponse& response,
                                             const audit::VerifierKey& key);
absl::StatusOr<v1::AuditEnvelope> CheckCount(const v1::CountRequest& request,
                                             const v1::CountResponse& response,
                                             const audit::VerifierKey& key);
// The same of a preview.
absl::StatusOr<v1::AuditEnvelope> CheckPreview(const v1::PreviewRequest& request,
                                               const v1::QueryResponse& response,
                                               const audit::VerifierKey& key);

// Writes `folder`/receipts/INDEX.json (0600), or INDEX-KEYID.json where another log's receipt
// stands there already. Returns the path.
absl::StatusOr<std::string> KeepReceipt(FileSystem& files, const std::string& folder,
                                        const v1::Receipt& receipt, const audit::VerifierKey& key);

}  // namespace sluice::cli
