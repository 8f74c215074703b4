// Holds each message of a stream against the records' receipts, before anything of it is used.
#pragma once

#include <deque>
#include <string>

#include "absl/status/status.h"
#include "cli/stream_receipt.h"
#include "gateway/audit/merkle.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::cli {

// What a stream's consumer has, over all its parts.
class StreamCheck {
 public:
  StreamCheck(v1::ReadRequest request, audit::VerifierKey key)
      : request_(std::move(request)), key_(std::move(key)) {}

  // RECEIPT_BROKEN where this is not what had to come next. A batch may be used once it is OK. The
  // opening of a further part may come at any time; it has to go on behind what came.
  absl::Status Take(const v1::ReadResponse& message);

  bool opened() const { return opened_; }
  bool closed() const { return closed_; }
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return bytes_; }
  // The newest opening's, with what the closing adds to it.
  const v1::Applied& applied() const { return applied_; }
  // Where a stream goes on behind what came; empty where nothing came, or the source has no order.
  const std::string& resume_token() const { return resume_token_; }
  int64_t first_index() const { return kept_.opened.index(); }
  int64_t last_index() const { return last_index_; }
  // What proves all that came.
  StreamReceipt receipt() const;

 private:
  absl::Status Begin(const v1::StreamOpening& opening);
  absl::Status TakeStep(const v1::StreamStep& step);
  absl::Status TakeBatch(const v1::ReadResponse& message);
  absl::Status Close(const v1::StreamClosing& closing);

  const v1::ReadRequest request_;
  const audit::VerifierKey key_;
  bool opened_ = false, closed_ = false;
  v1::Applied applied_;
  StreamReceipt kept_;
  audit::CompactRange tree_;          // over what came
  std::deque<std::string> expected_;  // digests of what is recorded and has not come
  int64_t rows_ = 0, bytes_ = 0, last_index_ = 0;
  std::string resume_token_;
};

}  // namespace sluice::cli
