#include "gateway/exchange/log_tail.h"

#include <algorithm>
#include <atomic>
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

// The records of a tail.
class TailFeed : public LogFeed {
 public:
  TailFeed(const LogReadingParts& parts, LogQuestion question, std::string request_json,
           int64_t from)
      : parts_(parts),
        question_(std::move(question)),
        request_json_(std::move(request_json)),
        from_(from) {}

  void Begin(int64_t read_index) override {
    read_index_ = read_index;
    if (from_ < 0) from_ = read_index + 1;
    next_ = told_ = from_;
  }

  absl::StatusOr<Piece> Next(Micros now) override {
    Piece piece;
    SLUICE_ASSIGN_OR_RETURN(v1::TailResponse message, ReadOn(&piece.more));
    const bool due =
        next_ - told_ >= kTellEveryRecords || (next_ > told_ && now - told_at_ >= kTellEvery);
    if (message.records().empty() && !first_ && !due) return piece;
    first_ = false;
    told_ = next_;
    told_at_ = now;
    piece.message = std::make_unique<v1::TailResponse>(std::move(message));
    return piece;
  }

  std::optional<Reading> Ending() const override {
    Reading reading;
    reading.request_json = request_json_;
    reading.asked = question_.query.subjects;
    reading.from = from_;
    reading.to = next_;
    reading.shown = shown_;
    return reading;
  }

 private:
  absl::StatusOr<v1::TailResponse> ReadOn(bool* more) {
    v1::TailResponse message;
    const auto size = static_cast<int64_t>(parts_.log.size());
    int64_t looked_at = 0;
    size_t bytes = 0;
    absl::Status bad;
    const audit::KeyForOpening key = KeysOnce(parts_.keys);
    const auto take = [&](const audit::Log::Entry& entry) {
      v1::AuditEnvelope envelope;
      if (!envelope.ParseFromString(entry.record.envelope)) {
        bad = absl::DataLossError(absl::StrCat("record ", entry.index, " does not parse"));
        return false;
      }
      absl::StatusOr<v1::AuditDetail> detail = absl::NotFoundError("");
      if (question_.query.AsksDetails()) detail = audit::OpenDetail(entry.record, key);
      const v1::AuditDetail* const opened = detail.ok() ? &*detail : nullptr;
      if (audit::Matches(question_.query, question_.scope, envelope, opened)) {
        v1::Record& record = *message.add_records();
        record.set_index(static_cast<int64_t>(entry.index));
        record.set_subject_match(question_.query.subjects.empty()
                                     ? v1::SUBJECT_MATCH_UNSPECIFIED
                                     : audit::MatchOf(question_.query.subjects, envelope, opened));
        *record.mutable_envelope() = std::move(envelope);
        bytes += entry.record.envelope.size();
      }
      next_ = static_cast<int64_t>(entry.index) + 1;
      return ++looked_at < kLookedAtAtOnce && message.records_size() < kRecordsAMessage &&
             bytes < kBytesAMessage && next_ < size;
    };
    if (next_ < size) SLUICE_RETURN_IF_ERROR(parts_.log.Read(static_cast<uint64_t>(next_), take));
    SLUICE_RETURN_IF_ERROR(bad);
    *more = next_ < size;
    shown_ += message.records_size();
    message.set_next_index(next_);
    message.set_log_records(size);
    message.set_read_index(read_index_);
    return message;
  }

  const LogReadingParts parts_;
  const LogQuestion question_;
  const std::string request_json_;
  int64_t from_, read_index_ = 0;
  int64_t next_ = 0, shown_ = 0, told_ = 0;
  Micros told_at_ = 0;
  bool first_ = true;
};

}  // namespace

class LogTail::Follower {
 public:
  enum class State { kNew, kOpening, kFollowing, kEnding };

  // Constant once it follows.
  Call call;
  std::shared_ptr<TailWriter> writer;
  audit::Scope scope;
  std::unique_ptr<LogFeed> feed;  // the tail's thread's alone

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

bool LogTail::Enter(const std::shared_ptr<Follower>& follower) {
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
  if (!refused.ok()) Refuse(follower, refused);
  return refused.ok();
}

void LogTail::Follow(const std::shared_ptr<Follower>& follower, LogQuestion question,
                     std::string request_json, int64_t from) {
  Reading reading;
  reading.request_json = request_json;
  reading.asked = question.query.subjects;
  reading.to = static_cast<int64_t>(parts_.log.size());
  reading.from = from < 0 ? reading.to : from;
  const audit::Scope scope = question.scope;
  Serve(follower, scope,
        std::make_unique<TailFeed>(parts_, std::move(question), std::move(request_json), from),
        reading);
}

void LogTail::Serve(const std::shared_ptr<Follower>& follower, const audit::Scope& scope,
                    std::unique_ptr<LogFeed> feed, const Reading& reading) {
  follower->scope = scope;
  follower->feed = std::move(feed);
  if (!Enter(follower)) return;
  RecordReading(parts_, follower->call, reading,
                [follower, shared = shared_](absl::StatusOr<int64_t> index) {
                  if (!index.ok()) {
                    follower->writer->Finish(index.status());
                    return shared->Remove(follower);
                  }
                  follower->feed->Begin(*index);
                  {
                    MutexLock lock(follower->mutex);
                    follower->state = Follower::State::kFollowing;
                  }
                  shared->Wake();
                });
}

void LogTail::ServeRecorded(const std::shared_ptr<Follower>& follower, const audit::Scope& scope,
                            std::unique_ptr<LogFeed> feed) {
  follower->scope = scope;
  follower->feed = std::move(feed);
  {
    MutexLock lock(follower->mutex);
    follower->state = Follower::State::kFollowing;
  }
  if (Enter(follower)) shared_->Wake();
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
      Attend(follower, look, cutting);
    }
  }
}

void LogTail::Attend(const std::shared_ptr<Follower>& follower, bool look, bool cutting) {
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
  absl::StatusOr<LogFeed::Piece> piece;
  if (status.ok()) {
    piece = follower->feed->Next(now);
    status = piece.status();
  }
  if (!status.ok()) {
    follower->End(status);
    return shared_->Wake();
  }
  if (piece->last) follower->End(absl::OkStatus());
  if (piece->more || piece->last) shared_->Wake();
  if (piece->message == nullptr) return;
  {
    MutexLock lock(follower->mutex);
    follower->in_flight = true;
    follower->written_at = now;
  }
  follower->writer->Write(*piece->message, [follower, shared = shared_](bool taken) {
    if (!taken) follower->End(Error(v1::REASON_CANCELLED, "the reader went away."));
    {
      MutexLock lock(follower->mutex);
      follower->in_flight = false;
    }
    shared->Wake();
  });
}

absl::Status LogTail::StillAllowed(const Follower& follower) const {
  const auto snapshot = parts_.snapshots.Get();
  const certs::VerifiedPeer& peer = *follower.call.certificate;
  if (snapshot->verifier != nullptr)
    SLUICE_RETURN_IF_ERROR(snapshot->verifier->CheckAgain(peer, parts_.clock.Now()));
  SLUICE_ASSIGN_OR_RETURN(const identity::Principal principal, snapshot->directory->Resolve(peer));
  SLUICE_ASSIGN_OR_RETURN(const audit::Scope scope, ScopeOf(principal));
  const audit::Scope& had = follower.scope;
  if (scope.all == had.all && scope.owned_datasets == had.owned_datasets) return absl::OkStatus();
  return Error(v1::REASON_ROLE_REQUIRED, "the caller's roles have changed; begin anew.");
}

void LogTail::Conclude(const std::shared_ptr<Follower>& follower, const absl::Status& why) {
  std::optional<Reading> reading = follower->feed->Ending();
  if (!reading) {
    follower->writer->Finish(why);
    return shared_->Remove(follower);
  }
  reading->ended = ReasonOf(why) == v1::REASON_UNSPECIFIED ? v1::REASON_INTERNAL : ReasonOf(why);
  RecordReading(parts_, follower->call, *reading,
                [follower, why, shared = shared_](const absl::StatusOr<int64_t>& index) {
                  follower->writer->Finish(index.ok() ? why : index.status());
                  shared->Remove(follower);
                });
}

}  // namespace sluice::exchange
