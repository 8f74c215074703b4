#include "gateway/audit/receipts.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/audit/frame.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

absl::Status RefuseReceipt(const char* why) {
  return absl::InvalidArgumentError(absl::StrCat("receipt: ", why));
}

// All levels of the tree of RFC 6962 over these leaves. A last node without a sibling is carried up
// as it is, which gives the same tree as splitting at the largest power of two.
std::vector<std::vector<Hash>> LevelsOf(std::vector<Hash> leaves) {
  std::vector<std::vector<Hash>> levels;
  levels.push_back(std::move(leaves));
  while (levels.back().size() > 1) {
    const std::vector<Hash>& below = levels.back();
    std::vector<Hash> level;
    level.reserve((below.size() + 1) / 2);
    for (size_t i = 0; i + 1 < below.size(); i += 2) {
      level.push_back(NodeHash(below[i], below[i + 1]));
    }
    if (below.size() % 2 != 0) level.push_back(below.back());
    levels.push_back(std::move(level));
  }
  return levels;
}

}  // namespace

std::string ReceiptMessage(std::string_view origin, uint64_t first_index, uint64_t count,
                           const Hash& batch_root) {
  return absl::StrCat("sluice-receipt/v1\n", absl::string_view(origin.data(), origin.size()), "\n",
                      first_index, "\n", count, "\n", Base64Encode(AsBytes(batch_root)), "\n");
}

SignedBatch::SignedBatch(std::string origin, uint64_t first_index, std::vector<Hash> leaves,
                         const SigningKey& key)
    : origin_(std::move(origin)), first_index_(first_index), levels_(LevelsOf(std::move(leaves))) {
  SLUICE_CHECK(!levels_.front().empty());
  // The proto counts in int64.
  SLUICE_CHECK(first_index_ <= INT64_MAX && levels_.front().size() <= INT64_MAX - first_index_);
  signature_ = key.Sign(ReceiptMessage(origin_, first_index_, levels_.front().size(), root()));
}

v1::Receipt SignedBatch::ReceiptFor(uint64_t offset, std::string envelope) const {
  SLUICE_CHECK(offset < levels_.front().size());
  v1::Receipt receipt;
  receipt.set_origin(origin_);
  receipt.set_envelope(std::move(envelope));
  receipt.set_index(static_cast<int64_t>(first_index_ + offset));
  receipt.set_first_index(static_cast<int64_t>(first_index_));
  receipt.set_count(static_cast<int64_t>(levels_.front().size()));
  receipt.mutable_path()->Reserve(static_cast<int>(levels_.size() - 1));
  for (const std::vector<Hash>& level : levels_) {
    if (const uint64_t sibling = offset ^ 1; sibling < level.size()) {
      receipt.add_path(level[sibling].data(), kHashSize);
    }
    offset /= 2;
  }
  receipt.set_signature(signature_);
  return receipt;
}

absl::Status VerifyReceipt(const v1::Receipt& receipt, const VerifierKey& log_key) {
  if (log_key.type != KeyType::kEd25519)
    return RefuseReceipt("a cosigner's key does not sign receipts");
  if (receipt.origin() != log_key.name) return RefuseReceipt("of another log than the key");
  if (receipt.envelope().size() > kMaxEnvelope) return RefuseReceipt("the envelope is too large");
  if (receipt.first_index() < 0 || receipt.count() <= 0 ||
      receipt.count() > std::numeric_limits<int64_t>::max() - receipt.first_index()) {
    return RefuseReceipt("not a batch");
  }
  if (receipt.index() < receipt.first_index() ||
      receipt.index() - receipt.first_index() >= receipt.count()) {
    return RefuseReceipt("the index is outside of its batch");
  }
  std::vector<Hash> path;
  for (const std::string& component : receipt.path()) {
    if (component.size() != kHashSize) return RefuseReceipt("a hash of the path has not 32 bytes");
    path.push_back(HashFromBytes(component));
  }
  const auto first = static_cast<uint64_t>(receipt.first_index());
  const auto count = static_cast<uint64_t>(receipt.count());
  SLUICE_ASSIGN_OR_RETURN(const Hash root,
                          RootFromInclusion(static_cast<uint64_t>(receipt.index()) - first, count,
                                            LeafHash(receipt.envelope()), path));
  if (!VerifyEd25519(log_key.public_key, ReceiptMessage(receipt.origin(), first, count, root),
                     receipt.signature())) {
    return RefuseReceipt("the signature does not hold for this envelope at this index");
  }
  return absl::OkStatus();
}

}  // namespace sluice::audit
