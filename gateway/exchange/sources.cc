#include "gateway/exchange/sources.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "google/protobuf/util/message_differencer.h"

namespace sluice::exchange {
namespace {

constexpr Micros kProbeEvery = kMinute;
constexpr Micros kProbeLimit = 5 * kSecond;

// Where this machine cannot tell hours that were accepted on another, the source stays closed.
absl::StatusOr<identity::ClosedHours> HoursOf(const v1::Source& source) {
  if (source.closed().empty()) return identity::ClosedHours();
  const auto zone = identity::FindZone(source.time_zone());
  auto hours = zone.ok() ? identity::ClosedHours::Parse(
                               {source.closed().begin(), source.closed().end()}, *zone)
                         : absl::StatusOr<identity::ClosedHours>(zone.status());
  if (hours.ok()) return hours;
  absl::Status status = Error(v1::REASON_SOURCE_UNAVAILABLE,
                              absl::StrCat("the closed hours of source ", source.id(),
                                           " cannot be told. Nothing was released."),
                              {{"source", source.id()}});
  AddOperatorNote(status, std::string(hours.status().message()));
  return status;
}

// What it says, and what is for the operator alone.
std::string ForOperator(const absl::Status& status) {
  const std::string note = OperatorNoteOf(status);
  return note.empty() ? std::string(status.message())
                      : absl::StrCat(std::string(status.message()), " ", note);
}

// Failures that speak against the source itself.
bool SpeaksAgainstSource(const absl::Status& status) {
  const v1::Reason reason = ReasonOf(status);
  const auto info = ErrorInfoOf(status);
  if (info && info->metadata().contains(adapters::kHeldBack)) return false;
  return reason == v1::REASON_SOURCE_UNAVAILABLE || reason == v1::REASON_DEADLINE_EXCEEDED ||
         (reason == v1::REASON_UNSPECIFIED && !status.ok());
}

v1::Source WithDefaultLimits(v1::Source source) {
  *source.mutable_limits() = WithDefaults(source.limits());
  return source;
}

}  // namespace

v1::SourceLimits WithDefaults(v1::SourceLimits limits) {
  if (limits.connections() <= 0) limits.set_connections(4);
  if (limits.queue() <= 0) limits.set_queue(64);
  if (limits.statement_ms() <= 0) limits.set_statement_ms(10'000);
  if (limits.breaker_failures() <= 0) limits.set_breaker_failures(5);
  if (limits.breaker_open_ms() <= 0) limits.set_breaker_open_ms(30'000);
  return limits;
}

OpenAdapter OpenByKind(const std::vector<adapters::Kind>& kinds) {
  return [&kinds](const v1::Source& source) -> absl::StatusOr<std::unique_ptr<adapters::Adapter>> {
    const adapters::Kind* kind = adapters::FindKind(kinds, source.kind());
    if (kind == nullptr)
      return absl::InternalError(absl::StrCat("no adapter of kind ", source.kind()));
    return kind->open(adapters::Settings(source.settings().begin(), source.settings().end()));
  };
}

TellNote NotesInto(OperationalLog& operations) {
  return [&operations](std::string_view source, std::string_view note) {
    operations.Write(Severity::kWarning, "source_note", note, {{"source", source}});
  };
}

SourceAtWork::SourceAtWork(v1::Source definition, OpenAdapter open, const Clock& clock,
                           TellNote tell_note)
    : definition_(WithDefaultLimits(std::move(definition))),
      open_(std::move(open)),
      clock_(clock),
      tell_note_(std::move(tell_note)),
      closed_(HoursOf(definition_)),
      breaker_(definition_.limits().breaker_failures(),
               definition_.limits().breaker_open_ms() * kMillisecond, clock),
      pool_(definition_.limits().connections(), definition_.limits().queue()) {}

absl::Status SourceAtWork::Submit(Task task, Part part) {
  SLUICE_RETURN_IF_ERROR(CheckOpen());
  SLUICE_RETURN_IF_ERROR(breaker_.Admit(definition_.id()));
  ++waiting_;
  auto work = [this, task = std::move(task)] {
    --waiting_;
    ++running_;
    const absl::StatusOr<adapters::Adapter*> adapter = Open();
    Judge(task(adapter));
    if (adapter.ok()) TakeNotes((*adapter)->Notes());
    // Whoever ends last sees that nobody waits.
    if (adapter.ok() && waiting_ == 0) (*adapter)->Rest();
    last_asked_ = clock_.Monotonic();
    --running_;
  };
  const bool taken = part == Part::kStream ? pool_.TrySubmitLong(std::move(work))
                                           : pool_.TrySubmit(std::move(work));
  if (taken) return absl::OkStatus();
  --waiting_;
  breaker_.Abandoned();
  absl::Status status = Error(v1::REASON_SOURCE_BUSY,
                              absl::StrCat("the queue for source ", definition_.id(), " is full."),
                              {{"source", definition_.id()}});
  AddRetryDelay(status, kSecond);
  return status;
}

absl::Status SourceAtWork::CheckOpen() const {
  SLUICE_RETURN_IF_ERROR(closed_.status());
  const Micros now = clock_.Now();
  const auto until = closed_->ClosedUntil(now);
  if (!until) return absl::OkStatus();
  const absl::Time opens = absl::FromUnixMicros(*until);
  absl::Status status =
      Error(v1::REASON_SOURCE_CLOSED,
            absl::StrCat("source ", definition_.id(), " is closed at this hour; it opens at ",
                         absl::FormatTime("%Y-%m-%d %H:%M:%S %Ez", opens, closed_->zone()),
                         ". Nothing was released."),
            {{"source", definition_.id()},
             {"opens", absl::FormatTime(absl::RFC3339_sec, opens, absl::UTCTimeZone())}});
  AddRetryDelay(status, *until - now);
  return status;
}

absl::StatusOr<adapters::Adapter*> SourceAtWork::Open() {
  MutexLock lock(opening_);
  if (adapter_ == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(adapter_, open_(definition_));
  }
  return adapter_.get();
}

void SourceAtWork::Judge(const absl::Status& outcome) {
  if (outcome.ok()) {
    {
      MutexLock lock(mutex_);
      last_answer_ = clock_.Now();
    }
    return breaker_.Succeeded();
  }
  if (!SpeaksAgainstSource(outcome)) return breaker_.Abandoned();
  {
    MutexLock lock(mutex_);
    last_failure_ = ForOperator(outcome);
  }
  breaker_.Failed();
}

void SourceAtWork::TakeNotes(std::vector<std::string> notes) {
  if (notes.empty() && !has_notes_) return;
  std::vector<std::string> fresh;
  {
    MutexLock lock(mutex_);
    for (const std::string& note : notes)
      if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) fresh.push_back(note);
    has_notes_ = !notes.empty();
    notes_ = std::move(notes);
  }
  if (tell_note_ == nullptr) return;
  for (const std::string& note : fresh) tell_note_(definition_.id(), note);
}

v1::SourceStatus SourceAtWork::Status() const {
  v1::SourceStatus status;
  status.set_source(definition_.id());
  status.set_kind(definition_.kind());
  status.set_breaker(breaker_.State());
  status.set_running(running_);
  status.set_waiting(waiting_);
  const auto time = [](Micros at, google::protobuf::Timestamp* out) {
    out->set_seconds(at / kSecond);
    out->set_nanos(static_cast<int32_t>(at % kSecond * 1000));
  };
  if (closed_.ok())
    if (const auto until = closed_->ClosedUntil(clock_.Now()))
      time(*until, status.mutable_closed_until());
  MutexLock lock(mutex_);
  status.set_last_failure(last_failure_);
  for (const std::string& note : notes_) status.add_notes(note);
  if (last_answer_ != 0) time(last_answer_, status.mutable_last_answer());
  return status;
}

bool SourceAtWork::ProbeIsDue() const {
  if (running_ > 0 || waiting_ > 0 || probing_ || !CheckOpen().ok()) return false;
  return breaker_.State() == "open" || clock_.Monotonic() - last_asked_ >= kProbeEvery;
}

void SourceAtWork::ProbeWhereDue(const std::shared_ptr<SourceAtWork>& source) {
  if (!source->ProbeIsDue()) return;
  source->probing_ = true;
  // The pool holds the source, not the task: it may be the last that does.
  SourceAtWork* const asked = source.get();
  const absl::Status taken = asked->Submit(
      [asked](absl::StatusOr<adapters::Adapter*> adapter) {
        absl::Status status = adapter.status();
        if (adapter.ok()) {
          adapters::CallContext context;
          context.clock = &asked->clock_;
          context.deadline = asked->clock_.Monotonic() + kProbeLimit;
          context.stop = std::make_shared<adapters::StopToken>();
          status = (*adapter)->Probe(context);
        }
        asked->probing_ = false;
        return status;
      },
      Part::kStream);
  // Its breaker is open, and no trial is due yet.
  if (!taken.ok()) asked->probing_ = false;
}

void Sources::Update(const std::map<std::string, v1::Source, std::less<>>& definitions) {
  MutexLock lock(mutex_);
  auto old = std::exchange(sources_, {});
  for (const auto& [id, definition] : definitions) {
    const auto known = old.find(id);
    if (known != old.end() && google::protobuf::util::MessageDifferencer::Equals(
                                  known->second->definition(), WithDefaultLimits(definition))) {
      sources_.insert(old.extract(known));
    } else {
      sources_.emplace(id, std::make_shared<SourceAtWork>(definition, open_, clock_, tell_note_));
    }
  }
  for (auto& [id, source] : old) retired_.push_back(std::move(source));
}

Sources::~Sources() {
  MutexLock lock(mutex_);
  for (auto& [id, source] : sources_) retired_.push_back(source);
  for (auto& source : retired_) source->Close();
}

std::shared_ptr<SourceAtWork> Sources::Find(std::string_view id) const {
  MutexLock lock(mutex_);
  const auto found = sources_.find(id);
  return found == sources_.end() ? nullptr : found->second;
}

std::vector<v1::SourceStatus> Sources::Status() const {
  std::vector<v1::SourceStatus> all;
  for (const auto& source : All()) all.push_back(source->Status());
  return all;
}

void Sources::ProbeWhereDue() {
  for (const auto& source : All()) SourceAtWork::ProbeWhereDue(source);
}

std::vector<std::shared_ptr<SourceAtWork>> Sources::All() const {
  std::vector<std::shared_ptr<SourceAtWork>> all;
  MutexLock lock(mutex_);
  for (const auto& [id, source] : sources_) all.push_back(source);
  return all;
}

void Sources::Reap() {
  std::vector<std::shared_ptr<SourceAtWork>> ended;  // destroyed without the lock
  MutexLock lock(mutex_);
  std::erase_if(retired_, [&ended](auto& source) {
    if (!source->idle() || source.use_count() > 1) return false;
    ended.push_back(std::move(source));
    return true;
  });
}

}  // namespace sluice::exchange
