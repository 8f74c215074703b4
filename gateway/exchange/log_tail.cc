#include "gateway/exchange/log_tail.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr int kRecordsAMessage = 100;
constexpr size_t kBytesAMessage = 256 << 10;
constexpr int64_t kLookedAtAtOnce = 5000;
// The position is told at least so often, where it moves.
constexpr int64_t kTellEveryRecords = 10'000;
constexpr Micros kTellEvery = 10 * kSecond;
constexpr auto kLookEvery = std::chrono::milliseconds(200);
// Readers that take what is on its way hear why it ended; the others are cut off.
constexpr int kGraceLooks = 10;

}  // namespace

void RecordReading(const LogReadingParts& parts, const Call& call, const Reading& reading,
                   std::function<void(absl::StatusOr<int64_t>)> answer) {
  audit::Draft draft = DraftFor(v1::RECORD_KIND_READ, call);
  draft.envelope.set_read_from(reading.from);
  draft.envelope.set_read_to(reading.to);
  draft.envelope.set_count(reading.shown);
  draft.envelope.set_reason(reading.ended);
  draft.envelope.set_subjects_asked(reading.asked.empty() ? v1::SUBJECT_SCOPE_NONE
                                                          : v1::SUBJECT_SCOPE_LISTED);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  draft.detail.set_search_json(reading.request_json);
  draft.detail.mutable_asked()->Assign(reading.asked.begin(), reading.asked.end());
  auto sealed = parts.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return answer(sealed.status());
  parts.log.Append(*std::move(sealed),
                   [answer = std::move(answer)](absl::StatusOr<v1::Receipt> receipt) {
                     if (!receipt.ok()) return answer(receipt.status());
                     answer(receipt->index());
                   });
}

class LogTail::Follower {
 public:
  enum class State { kNew, kOpening, kFollowing, kEnding };

  // Constant once it follows.
  Call call;
  std::shared_ptr<TailWriter> writer;
  LogQuestion question;
  std::string request_json;
  int64_t from = 0, read_index = 0;

  // The tail's thread alone.
  int64_t next = 0, shown = 0, told = 0;
  Micros told_at = 0;
  bool first = true;

  Mutex mutex;
  State state SLUICE_GUARDED_BY(mutex) = State::kNew;
  bool in_flight SLUICE_GUARDED_BY(mutex) = false;
  Micros written_at SLUICE_GUARDED_BY(mutex) = 0;
  bool cut SLUICE_GUARDED_BY(mutex) = false;  // what is on its way was given up
  std::optional<absl::Status> end SLUICE_GUARDED_BY(mutex);

  void End(const absl::Status& why) {
    MutexLock lock(mutex);
    if (!end) end = why;
  }
};

struct LogTail::Shared {
  Mutex mutex;
  Condition wakes, fewer;
  bool awake SLUICE_GUARDED_BY(mutex) = false;
  bool closing SLUICE_GUARDED_BY(mutex) = false;
  bool cutting SLUICE_GUARDED_BY(mutex) = false;
  bool ending SLUICE_GUARDED_BY(mutex) = false;
  std::vector<std::shared_ptr<Follower>> followers SLUICE_GUARDED_BY(mutex);
  std::atomic<bool> anybody{false};  // so that a log that nobody follows wakes nobody

  void Wake() {
    MutexLock lock(mutex);
    awake = true;
    wakes.NotifyOne();
  }
  void Remove(const std::shared_ptr<Follower>& follower) {
    MutexLock lock(mutex);
    followers.erase(std::remove(followers.begin(), followers.end(), follower), followers.end());
    anybody = !followers.empty();
    fewer.NotifyAll();
  }
};

LogTail::LogTail(const LogReadingParts& parts, const LogTailLimits& limits)
    : parts_(parts), limits_(limits), shared_(std::make_shared<Shared>()) {
  parts_.log.OnGrowth([shared = shared_] {
    if (shared->anybody) shared->Wake();
  });
  thread_ = std::thread([this] { Run(); });
}

LogTail::~LogTail() { Close(); }

std::shared_ptr<LogTail::Follower> LogTail::MakeFollower(Call call,
                                                         std::shared_ptr<TailWriter> writer) {
  auto follower = std::make_shared<Follower>();
  follower->call = std::move(call);
  follower->writer = std::move(writer);
  return follower;
}

void LogTail::Refuse(const std::shared_ptr<Follower>& follower, absl::Status why) {
  follower->writer->Finish(std::move(why));
}

void LogTail::GiveUp(const std::shared_ptr<Follower>& follower) {
  follower->End(Error(v1::REASON_CANCELLED, "the reader went away."));
  shared_->Wake();
}

void LogTail::Follow(const std::shared_ptr<Follower>& follower, LogQuestion question,
                     std::string request_json, int64_t from) {
  follower->question = std::move(question);
  follower->request_json = std::move(request_json);
  absl::Status refused;
  {
    MutexLock lock(shared_->mutex);
    const auto mine =
        std::count_if(shared_->followers.begin(), shared_->followers.end(), [&](const auto& other) {
          return other->call.principal->path == follower->call.principal->path;
        });
    if (shared_->closing)
      refused = Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining.");
    else if (static_cast<size_t>(mine) >= limits_.tails_per_principal)
      refused = Error(v1::REASON_TOO_MANY_CALLS,
                      absl::StrCat("this caller follows the log ", mine, " times already."));
    else if (shared_->followers.size() >= limits_.tails)
      refused = Error(v1::REASON_OVERLOADED, "too many follow the log.");
    else
      shared_->followers.push_back(follower);
    if (refused.ok()) shared_->anybody = true;
  }
  if (!refused.ok()) return Refuse(follower, std::move(refused));
  Reading reading;
  reading.request_json = follower->request_json;
  reading.asked = follower->question.query.subjects;
  reading.to = static_cast<int64_t>(parts_.log.size());
  reading.from = from < 0 ? reading.to : from;
  RecordReading(parts_, follower->call, reading,
                [follower, from, shared = shared_](absl::StatusOr<int64_t> index) {
                  if (!index.ok()) {
                    follower->writer->Finish(index.status());
                    return shared->Remove(follower);
                  }
                  follower->read_index = *index;
                  follower->from = from < 0 ? *index + 1 : from;
                  follower->next = follower->told = follower->from;
                  {
                    MutexLock lock(follower->mutex);
                    follower->state = Follower::State::kFollowing;
                  }
                  shared->Wake();
                });
}

void LogTail::EndAll(const absl::Status& why) {
  {
    MutexLock lock(shared_->mutex);
    for (const auto& follower : shared_->followers) follower->End(why);
  }
  shared_->Wake();
}

void LogTail::Close() {
  if (!thread_.joinable()) return;
  parts_.log.OnGrowth(nullptr);
  {
    MutexLock lock(shared_->mutex);
    shared_->closing = true;
  }
  EndAll(Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining."));
  {
    MutexLock lock(shared_->mutex);
    for (int looks = 0; !shared_->followers.empty() && looks < kGraceLooks; ++looks)
      shared_->fewer.WaitFor(shared_->mutex, kLookEvery);
    shared_->cutting = true;
  }
  shared_->Wake();
  {
    MutexLock lock(shared_->mutex);
    while (!shared_->followers.empty()) shared_->fewer.Wait(shared_->mutex);
    shared_->ending = true;
  }
  shared_->Wake();
  thread_.join();
}

void LogTail::Run() {
  Micros looked = 0;
  for (;;) {
    std::vector<std::shared_ptr<Follower>> followers;
    bool closing = false, cutting = false;
    {
      MutexLock lock(shared_->mutex);
      while (!shared_->awake && !shared_->ending) {
        if (shared_->followers.empty()) {
          shared_->wakes.Wait(shared_->mutex);
        } else if (!shared_->wakes.WaitFor(shared_->mutex, kLookEvery)) {
          break;
        }
      }
      if (shared_->ending) return;
      shared_->awake = false;
      followers = shared_->followers;
      closing = shared_->closing;
      cutting = shared_->cutting;
    }
    const Micros now = parts_.clock.Monotonic();
    const bool look = now - looked >= kSecond / 2;
    if (look) looked = now;
    for (const auto& follower : followers) {
      // Whoever was still being recorded when the closing began.
      if (closing) follower->End(Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining."));
      Serve(follower, look, cutting);
    }
  }
}

void LogTail::Serve(const std::shared_ptr<Follower>& follower, bool look, bool cutting) {
  const Micros now = parts_.clock.Monotonic();
  std::optional<absl::Status> end;
  bool cut = false;
  {
    MutexLock lock(follower->mutex);
    if (follower->state != Follower::State::kFollowing) return;
    if (follower->in_flight) {
      if (now - follower->written_at >= limits_.stall && !follower->end)
        follower->end =
            Error(v1::REASON_DEADLINE_EXCEEDED, "the reader took nothing for too long.");
      const bool waited = now - follower->written_at >= limits_.stall;
      if (follower->cut || !(cutting || (follower->end && waited))) return;
      cut = follower->cut = true;
    } else if (follower->end) {
      follower->state = Follower::State::kEnding;
      end = follower->end;
    }
  }
  if (cut) return follower->writer->Abort();
  if (end) return Conclude(follower, *std::move(end));
  absl::Status status;
  if (follower->call.deadline > 0 && now >= follower->call.deadline)
    status = Error(v1::REASON_DEADLINE_EXCEEDED, "the call's deadline passed.");
  if (status.ok() && look) status = StillAllowed(*follower);
  bool more = false;
  absl::StatusOr<v1::TailResponse> message;
  if (status.ok()) {
    message = ReadOn(*follower, &more);
    status = message.status();
  }
  if (!status.ok()) {
    follower->End(status);
    return shared_->Wake();
  }
  if (more) shared_->Wake();
  const bool due = follower->next - follower->told >= kTellEveryRecords ||
                   (follower->next > follower->told && now - follower->told_at >= kTellEvery);
  if (message->records().empty() && !follower->first && !due) return;
  follower->first = false;
  follower->told = follower->next;
  follower->told_at = now;
  {
    MutexLock lock(follower->mutex);
    follower->in_flight = true;
    follower->written_at = now;
  }
  follower->writer->Write(*std::move(message), [follower, shared = shared_](bool taken) {
    if (!taken) follower->End(Error(v1::REASON_CANCELLED, "the reader went away."));
    {
      MutexLock lock(follower->mutex);
      follower->in_flight = false;
    }
    shared->Wake();
  });
}

absl::StatusOr<v1::TailResponse> LogTail::ReadOn(Follower& follower, bool* more) {
  v1::TailResponse message;
  const LogQuestion& question = follower.question;
  const auto size = static_cast<int64_t>(parts_.log.size());
  int64_t looked_at = 0;
  size_t bytes = 0;
  absl::Status bad;
  std::map<std::string, absl::StatusOr<std::string>> keys;
  const audit::KeyForOpening key = [&](const std::string& name) {
    const auto known = keys.find(name);
    if (known != keys.end()) return known->second;
    return keys.emplace(name, parts_.keys.ForOpening(name)).first->second;
  };
  const auto take = [&](const audit::Log::Entry& entry) {
    v1::AuditEnvelope envelope;
    if (!envelope.ParseFromString(entry.record.envelope)) {
      bad = absl::DataLossError(absl::StrCat("record ", entry.index, " does not parse"));
      return false;
    }
    absl::StatusOr<v1::AuditDetail> detail = absl::NotFoundError("");
    if (question.query.AsksDetails()) detail = audit::OpenDetail(entry.record, key);
    const v1::AuditDetail* const opened = detail.ok() ? &*detail : nullptr;
    if (audit::Matches(question.query, question.scope, envelope, opened)) {
      v1::Record& record = *message.add_records();
      record.set_index(static_cast<int64_t>(entry.index));
      record.set_subject_match(question.query.subjects.empty()
                                   ? v1::SUBJECT_MATCH_UNSPECIFIED
                                   : audit::MatchOf(question.query.subjects, envelope, opened));
      *record.mutable_envelope() = std::move(envelope);
      bytes += entry.record.envelope.size();
    }
    follower.next = static_cast<int64_t>(entry.index) + 1;
    return ++looked_at < kLookedAtAtOnce && message.records_size() < kRecordsAMessage &&
           bytes < kBytesAMessage && follower.next < size;
  };
  if (follower.next < size)
    SLUICE_RETURN_IF_ERROR(parts_.log.Read(static_cast<uint64_t>(follower.next), take));
  SLUICE_RETURN_IF_ERROR(bad);
  *more = follower.next < size;
  follower.shown += message.records_size();
  message.set_next_index(follower.next);
  message.set_log_records(size);
  message.set_read_index(follower.read_index);
  return message;
}

absl::Status LogTail::StillAllowed(const Follower& follower) const {
  const auto snapshot = parts_.snapshots.Get();
  const certs::VerifiedPeer& peer = *follower.call.certificate;
  if (snapshot->verifier != nullptr)
    SLUICE_RETURN_IF_ERROR(snapshot->verifier->CheckAgain(peer, parts_.clock.Now()));
  SLUICE_ASSIGN_OR_RETURN(const identity::Principal principal, snapshot->directory->Resolve(peer));
  SLUICE_ASSIGN_OR_RETURN(const audit::Scope scope, ScopeOf(principal));
  const audit::Scope& had = follower.question.scope;
  if (scope.all == had.all && scope.owned_datasets == had.owned_datasets) return absl::OkStatus();
  return Error(v1::REASON_ROLE_REQUIRED, "the caller's roles have changed; begin anew.");
}

void LogTail::Conclude(const std::shared_ptr<Follower>& follower, const absl::Status& why) {
  Reading reading;
  reading.request_json = follower->request_json;
  reading.asked = follower->question.query.subjects;
  reading.from = follower->from;
  reading.to = follower->next;
  reading.shown = follower->shown;
  reading.ended = ReasonOf(why) == v1::REASON_UNSPECIFIED ? v1::REASON_INTERNAL : ReasonOf(why);
  RecordReading(parts_, follower->call, reading,
                [follower, why, shared = shared_](const absl::StatusOr<int64_t>& index) {
                  follower->writer->Finish(index.ok() ? why : index.status());
                  shared->Remove(follower);
                });
}

}  // namespace sluice::exchange
