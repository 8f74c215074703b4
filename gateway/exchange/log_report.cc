#include "gateway/exchange/log_report.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/exchange/log_pace.h"
#include "google/protobuf/util/json_util.h"

namespace sluice::exchange {
namespace {

constexpr int64_t kMostDays = 400;
constexpr uint64_t kRecordsALook = 1'024;  // between looks at who still waits
constexpr int kPartsAMessage = 1'000;
constexpr int kNice = 10;

absl::Status Invalid(const std::string& what) { return Error(v1::REASON_REQUEST_INVALID, what); }

Micros MicrosOf(const google::protobuf::Timestamp& time) {
  return time.seconds() * kSecond + time.nanos() / 1000;
}

absl::StatusOr<audit::ReportSpan> SpanOfRequest(const v1::ReportRequest& request) {
  audit::ReportSpan span{MicrosOf(request.since()), MicrosOf(request.until()),
                         request.utc_offset_minutes() * kMinute};
  if (!request.has_since() || !request.has_until() || span.since < 0 || span.until <= span.since)
    return Invalid("a report is of a time: `since`, and `until` after it.");
  if (span.until - span.since > kMostDays * kDay)
    return Invalid(absl::StrCat("a report is of at most ", kMostDays, " days."));
  if (span.utc_offset < -14 * kHour || span.utc_offset > 14 * kHour)
    return Invalid("utc_offset_minutes is at most 840 to either side.");
  return span;
}

// So many of each kind a message, that none is over a message's size.
std::vector<v1::ReportResponse> MessagesOf(audit::ReportParts parts) {
  std::vector<v1::ReportResponse> messages;
  int left = 0;
  const auto next = [&]() -> v1::ReportResponse& {
    if (left-- == 0) {
      messages.emplace_back();
      left = kPartsAMessage - 1;
    }
    return messages.back();
  };
  for (v1::ReportUse& use : parts.uses) *next().add_uses() = std::move(use);
  for (v1::ReportDenial& denial : parts.denials) *next().add_denials() = std::move(denial);
  for (v1::ReportStream& open : parts.unfinished) *next().add_unfinished() = std::move(open);
  for (v1::ReportFinding& finding : parts.findings) *next().add_findings() = std::move(finding);
  *messages.emplace_back().mutable_totals() = parts.totals;
  return messages;
}

}  // namespace

class LogReports::Asked : public std::enable_shared_from_this<Asked> {
 public:
  Asked(Call call, v1::ReportRequest request, std::shared_ptr<ReportWriter> writer)
      : call(std::move(call)), request(std::move(request)), writer_(std::move(writer)) {}

  const Call call;
  const v1::ReportRequest request;
  audit::ReportSpan span;
  audit::Scope scope;
  std::atomic<bool> gone{false};

  // How far it is; nothing where the last message is still on its way.
  void Tell(v1::ReportResponse progress) {
    {
      MutexLock lock(mutex_);
      if (writing_ || ending_) return;
      writing_ = true;
    }
    Write(std::move(progress));
  }
  void Answer(std::vector<v1::ReportResponse> messages) {
    {
      MutexLock lock(mutex_);
      messages_.assign(std::make_move_iterator(messages.begin()),
                       std::make_move_iterator(messages.end()));
    }
    End(absl::OkStatus());
  }
  void End(absl::Status status) {
    {
      MutexLock lock(mutex_);
      if (ending_) return;
      ending_ = std::move(status);
      if (writing_) return;
      writing_ = true;
    }
    GoOn();
  }

 private:
  void Write(v1::ReportResponse message) {
    writer_->Write(std::move(message), [self = shared_from_this()](bool taken) {
      if (!taken) self->gone = true;
      {
        MutexLock lock(self->mutex_);
        if (!self->ending_) {
          self->writing_ = false;
          return;
        }
      }
      self->GoOn();
    });
  }
  // Called by one at a time: whoever has `writing_`.
  void GoOn() {
    std::optional<v1::ReportResponse> message;
    absl::Status status;
    {
      MutexLock lock(mutex_);
      if (!messages_.empty() && !gone) {
        message = std::move(messages_.front());
        messages_.pop_front();
      }
      status = *ending_;
    }
    if (message) return Write(*std::move(message));
    if (gone) status = Error(v1::REASON_CANCELLED, "the caller gave the call up.");
    writer_->Finish(std::move(status));
  }

  const std::shared_ptr<ReportWriter> writer_;
  Mutex mutex_;
  bool writing_ SLUICE_GUARDED_BY(mutex_) = false;
  std::deque<v1::ReportResponse> messages_ SLUICE_GUARDED_BY(mutex_);
  std::optional<absl::Status> ending_ SLUICE_GUARDED_BY(mutex_);
};

LogReports::LogReports(const LogReadingParts& parts) : parts_(parts) {
  thread_ = std::thread([this] { Run(); });
}

LogReports::~LogReports() { Close(); }

std::shared_ptr<LogReports::Asked> LogReports::Ask(Call call, v1::ReportRequest request,
                                                   std::shared_ptr<ReportWriter> writer) {
  return std::make_shared<Asked>(std::move(call), std::move(request), std::move(writer));
}

void LogReports::GiveUp(Asked& asked) { asked.gone = true; }

void LogReports::Begin(const std::shared_ptr<Asked>& asked) {
  auto scope = ScopeOf(*asked->call.principal);
  if (!scope.ok()) return asked->End(scope.status());
  auto span = SpanOfRequest(asked->request);
  if (!span.ok()) return asked->End(span.status());
  asked->scope = *std::move(scope);
  asked->span = *span;
  absl::Status refused;
  {
    MutexLock lock(mutex_);
    if (closing_) {
      refused = Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining.");
    } else if (waiting_.size() >= kWaiting) {
      refused = Error(v1::REASON_OVERLOADED, "too many reports are waiting.");
    } else {
      waiting_.push_back(asked);
      wakes_.NotifyAll();
    }
  }
  if (!refused.ok()) asked->End(std::move(refused));
}

void LogReports::Close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    wakes_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void LogReports::Run() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
  for (;;) {
    std::shared_ptr<Asked> asked;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !closing_) wakes_.Wait(mutex_);
      if (waiting_.empty()) return;
      asked = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (absl::Status status = Make(asked); !status.ok()) asked->End(std::move(status));
  }
}

bool LogReports::Ended(const Asked& asked) {
  const Micros deadline = asked.call.deadline;
  return closing_ || asked.gone || (deadline != 0 && parts_.clock.Monotonic() >= deadline);
}

// Of the records of that time and later, the first; where the clock went back, one of those about.
absl::StatusOr<uint64_t> LogReports::FirstFrom(Micros time, uint64_t end) {
  uint64_t low = 0, high = end;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    SLUICE_ASSIGN_OR_RETURN(const audit::Log::Entry entry, parts_.log.ReadOne(middle));
    v1::AuditEnvelope envelope;
    if (!envelope.ParseFromString(entry.record.envelope))
      return absl::DataLossError(absl::StrCat("record ", middle, " does not parse"));
    if (audit::TimeOf(envelope) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

absl::Status LogReports::Make(const std::shared_ptr<Asked>& asked) {
  const uint64_t end = parts_.log.size();
  audit::ReportBuilder builder(asked->span, asked->scope);
  SLUICE_ASSIGN_OR_RETURN(const uint64_t begin, FirstFrom(builder.begins(), end));
  absl::Status status;
  uint64_t next = begin;
  LogPace pace(parts_.log, parts_.clock);
  v1::AuditEnvelope envelope;
  SLUICE_RETURN_IF_ERROR(parts_.log.Read(begin, [&](const audit::Log::Entry& entry) {
    if (entry.index >= end) return false;
    if (next++ % kRecordsALook == 0) {
      pace.Breathe();
      if (Ended(*asked)) {
        status = closing_ ? Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining.")
                          : Error(v1::REASON_CANCELLED, "the report was not waited for.");
        return false;
      }
      v1::ReportResponse progress;
      progress.set_done(static_cast<int64_t>(entry.index - begin));
      progress.set_all(static_cast<int64_t>(end - begin));
      asked->Tell(std::move(progress));
    }
    if (!envelope.ParseFromString(entry.record.envelope)) {
      status = absl::DataLossError(absl::StrCat("record ", entry.index, " does not parse"));
      return false;
    }
    // A day more, for streams that end behind the time, and for a clock that went back.
    if (audit::TimeOf(envelope) >= asked->span.until + kDay && !builder.AwaitsEnds()) return false;
    absl::StatusOr<v1::AuditDetail> detail = absl::NotFoundError("not wanted");
    if (builder.WantsDetail(envelope)) {
      detail = audit::OpenDetail(entry.record, parts_.keys);
      if (!detail.ok() && !absl::IsNotFound(detail.status())) status = detail.status();
    }
    if (status.ok())
      status = builder.Add(static_cast<int64_t>(entry.index), envelope,
                           detail.ok() ? &*detail : nullptr);
    return status.ok();
  }));
  SLUICE_RETURN_IF_ERROR(status);
  audit::ReportParts made = builder.Build();
  made.totals.set_next_index(static_cast<int64_t>(next));
  Reading reading;
  if (!google::protobuf::util::MessageToJsonString(asked->request, &reading.request_json).ok())
    reading.request_json.clear();
  reading.from = static_cast<int64_t>(begin);
  reading.to = static_cast<int64_t>(next);
  reading.shown = made.totals.records();
  auto messages = std::make_shared<std::vector<v1::ReportResponse>>(MessagesOf(std::move(made)));
  RecordReading(parts_, asked->call, reading, [asked, messages](absl::StatusOr<int64_t> index) {
    if (!index.ok()) return asked->End(index.status());
    messages->back().set_read_index(*index);
    asked->Answer(std::move(*messages));
  });
  return absl::OkStatus();
}

}  // namespace sluice::exchange
