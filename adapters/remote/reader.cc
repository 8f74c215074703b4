#include "adapters/remote/reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/remote/errors.h"
#include "adapters/remote/messages.h"
#include "gateway/base/error.h"

namespace sluice::adapters::remote {
namespace {

// It goes into tokens and replies.
constexpr size_t kMostVersion = 256;

}  // namespace

absl::Status StatusOf(const Ending& ending, SourceParts& source, const Patience& patience,
                      const ScanRequest* request, int64_t rows_before) {
  if (!ending.given_up.ok()) {
    if (ReasonOf(ending.given_up) == v1::REASON_SOURCE_UNAVAILABLE) source.channel->Reconnect();
    return ending.given_up;
  }
  if (ending.unreadable) return Broken("a message that is none, or is compressed");
  if (ending.status.ok()) return absl::OkStatus();
  // gRPC may have been quicker than we with the same deadline.
  SLUICE_RETURN_IF_ERROR(patience.Check());
  if (ending.status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    if (const absl::Status refused = source.channel->Refused(); !refused.ok())
      return Unavailable(
          "what answers at the source's address does not prove to be the source's adapter",
          std::string(refused.message()));
  }
  return ToStatus({static_cast<absl::StatusCode>(ending.status.error_code()),
                   ending.status.error_message(), ending.status.error_details()},
                  request, rows_before);
}

RemoteReader::RemoteReader(std::shared_ptr<SourceParts> source, ScanRequest request,
                           CallContext context)
    : source_(std::move(source)),
      request_(std::move(request)),
      context_(std::move(context)),
      checker_(request_) {}

RemoteReader::~RemoteReader() {
  if (watched_) source_->idle->Remove(held_.get());
}

void RemoteReader::Cancel() {
  cancelled_.store(true, std::memory_order_release);
  held_->Cancel();
}

absl::StatusOr<std::optional<records::RecordBatch>> RemoteReader::Next() {
  if (failed_.ok() && !at_end_) {
    auto batch = NextBatch();
    if (batch.ok() && batch->has_value()) {
      held_->Put(source_->clock->Monotonic());
      if (!request_.key.empty() && !std::exchange(watched_, true)) source_->idle->Add(held_);
      return batch;
    }
    held_->Use(nullptr);
    failed_ = batch.status();
    at_end_ = true;
  }
  bad_cells_.clear();
  if (!failed_.ok()) return failed_;
  return std::optional<records::RecordBatch>();
}

absl::StatusOr<std::optional<records::RecordBatch>> RemoteReader::NextBatch() {
  const Patience patience(context_, &cancelled_, source_->settings.timeout, *source_->clock);
  SLUICE_RETURN_IF_ERROR(patience.Check());
  const std::shared_ptr<ScanCall> call = Begin();
  for (;;) {
    v1::ScanResponse message;
    Ending ending;
    if (!call->Read(message, patience, ending)) {
      SLUICE_RETURN_IF_ERROR(StatusOf(ending, *source_, patience, &request_, rows_before_));
      return std::nullopt;
    }
    if (std::exchange(first_, false)) SLUICE_RETURN_IF_ERROR(TakeVersion(message));
    SLUICE_ASSIGN_OR_RETURN(auto checked, checker_.Take(message));
    if (checked) {
      bad_values_ += static_cast<int64_t>(checked->bad_cells.size());
      bad_cells_ = std::move(checked->bad_cells);
      return std::optional<records::RecordBatch>(std::move(checked->batch));
    }
    // Messages without end that say nothing are no progress.
    SLUICE_RETURN_IF_ERROR(patience.Check());
  }
}

std::shared_ptr<ScanCall> RemoteReader::Begin() {
  std::shared_ptr<ScanCall> call = held_->Take();
  if (call != nullptr) return call;
  if (!request_.key.empty()) request_.after = checker_.position();
  rows_before_ = checker_.rows();
  first_ = true;
  call = std::make_shared<ScanCall>(source_->channel->Get(),
                                    ToProto(request_, source_->settings.source), context_);
  held_->Use(call);
  return call;
}

absl::Status RemoteReader::TakeVersion(const v1::ScanResponse& first) {
  if (first.version().version().size() > kMostVersion)
    return Broken(absl::StrCat("a version of over ", kMostVersion, " bytes"));
  SourceVersion version = FromProto(first.version());
  if (!std::exchange(begun_, true)) {
    version_ = std::move(version);
    snapshot_ = first.snapshot();
  } else if (snapshot_ && (!first.snapshot() || version.version != version_.version)) {
    return Error(v1::REASON_SOURCE_CHANGED, "the source changed while it was read");
  }
  return absl::OkStatus();
}

}  // namespace sluice::adapters::remote
