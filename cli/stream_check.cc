#include "cli/stream_check.h"

#include "cli/receipts.h"
#include "gateway/base/error.h"

namespace sluice::cli {

absl::Status StreamCheck::Take(const v1::ReadResponse& message) {
  if (closed_) return ReceiptBroken("something follows the end of the stream.");
  if (message.has_opening()) return Begin(message.opening());
  if (!opened_) return ReceiptBroken("the stream does not begin with its opening.");
  if (message.has_closing()) return Close(message.closing());
  if (message.has_step()) SLUICE_RETURN_IF_ERROR(TakeStep(message.step()));
  return TakeBatch(message);
}

absl::Status StreamCheck::Begin(const v1::StreamOpening& opening) {
  StreamReceipt kept = kept_;
  if (opened_) {
    // The part that the token came with is the one before; later ones gave nothing. What was
    // recorded and did not come is recorded anew.
    v1::AuditEnvelope envelope;
    if (!envelope.ParseFromString(opening.receipt().envelope()))
      return ReceiptBroken("the envelope cannot be read.");
    while (!kept.parts.empty() && kept.parts.back().index() != envelope.continues().previous())
      kept.parts.pop_back();
    kept.parts.push_back(opening.receipt());
    kept.latest.reset();
  } else {
    kept.media_type = opening.media_type();
    kept.opened = opening.receipt();
  }
  SLUICE_ASSIGN_OR_RETURN(const StreamProof proof, CheckStreamRecords(kept, key_));
  if (proof.opened.dataset() != request_.dataset() ||
      proof.opened.purpose() != request_.purpose() || opening.media_type() != request_.media_type())
    return ReceiptBroken("the receipt is of another access.");
  const v1::StreamStart& start = proof.opened.continues();
  if (opened_ && (start.rows() != rows_ || start.digest() != AsBytes(tree_.Root())))
    return ReceiptBroken("the stream does not go on behind what came.");
  kept_ = std::move(kept);
  expected_.clear();
  opened_ = true;
  applied_ = opening.applied();
  last_index_ = opening.receipt().index();
  return absl::OkStatus();
}

// What may come next, under a receipt that covers it and all before it.
absl::Status StreamCheck::TakeStep(const v1::StreamStep& step) {
  if (!expected_.empty()) return ReceiptBroken("a step begins within another.");
  audit::CompactRange tree = tree_;
  for (const std::string& digest : step.batch_digests()) {
    if (digest.size() != kHashSize) return ReceiptBroken("a digest has not 32 bytes.");
    tree.Append(audit::LeafHash(digest));
    expected_.push_back(digest);
  }
  StreamReceipt so_far = receipt();
  so_far.latest = step.receipt();
  SLUICE_ASSIGN_OR_RETURN(const StreamProof proof, CheckStreamRecords(so_far, key_));
  if (AsBytes(tree.Root()) != proof.latest.digest())
    return ReceiptBroken("the step's digests are not those that its receipt is about.");
  kept_.latest = step.receipt();
  last_index_ = step.receipt().index();
  return absl::OkStatus();
}

absl::Status StreamCheck::TakeBatch(const v1::ReadResponse& message) {
  const Hash digest = Sha256(message.payload());
  if (expected_.empty() || expected_.front() != AsBytes(digest) ||
      message.batch() != static_cast<int64_t>(tree_.size()))
    return ReceiptBroken("a batch is not the one that was recorded.");
  expected_.pop_front();
  tree_.Append(audit::LeafHash(AsBytes(digest)));
  kept_.batch_lengths.push_back(static_cast<int64_t>(message.payload().size()));
  bytes_ += static_cast<int64_t>(message.payload().size());
  rows_ += message.rows();
  resume_token_ = message.resume_token();
  return absl::OkStatus();
}

absl::Status StreamCheck::Close(const v1::StreamClosing& closing) {
  if (!expected_.empty()) return ReceiptBroken("batches that were recorded did not come.");
  kept_.latest = closing.receipt();
  SLUICE_ASSIGN_OR_RETURN(const StreamProof proof, CheckStreamRecords(kept_, key_));
  if (!proof.whole || proof.rows != rows_ || AsBytes(tree_.Root()) != proof.latest.digest())
    return ReceiptBroken("the receipt of the whole stream is not about what came.");
  *applied_.mutable_quota_left() = closing.quota_left();
  applied_.set_bad_values(closing.bad_values());
  last_index_ = closing.receipt().index();
  closed_ = true;
  return absl::OkStatus();
}

StreamReceipt StreamCheck::receipt() const {
  StreamReceipt receipt = kept_;
  receipt.missing_digests.assign(expected_.begin(), expected_.end());
  return receipt;
}

}  // namespace sluice::cli
