// Receipts: one Ed25519 signature a batch, a path for each record (audit_record.proto, Receipt).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/signed_note.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {

// "sluice-receipt/v1\n" origin "\n" first_index "\n" count "\n" base64(batch root) "\n".
std::string ReceiptMessage(std::string_view origin, uint64_t first_index, uint64_t count,
                           const Hash& batch_root);

// What one synced batch needs to answer for each of its records: all levels of its tree, hashed
// once. Immutable, so any thread may ask.
class SignedBatch {
 public:
  // At least one leaf.
  SignedBatch(std::string origin, uint64_t first_index, std::vector<Hash> leaves,
              const SigningKey& key);
  // `offset` within the batch; `envelope` as stored.
  v1::Receipt ReceiptFor(uint64_t offset, std::string envelope) const;
  const Hash& root() const { return levels_.back().front(); }

 private:
  const std::string origin_;
  const uint64_t first_index_;
  // Leaves first, root last.
  const std::vector<std::vector<Hash>> levels_;
  std::string signature_;
};

// OK where the signature holds and the envelope is at its index; otherwise INVALID_ARGUMENT.
absl::Status VerifyReceipt(const v1::Receipt& receipt, const VerifierKey& log_key);

}  // namespace sluice::audit
