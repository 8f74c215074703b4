#include "gateway/witness/cosigner.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "gateway/audit/cosignature.h"
#include "gateway/audit/text_lines.h"
#include "gateway/base/error.h"
#include "gateway/witness/add_checkpoint.h"

namespace sluice::witness {
namespace {

using audit::Checkpoint;
using audit::NoteSignature;

constexpr size_t kMostAnswer = 64 << 10;
constexpr uint64_t kMostKept = 64 << 10;
// A size that a witness told, and perhaps another one where somebody else asked in between.
constexpr int kMostTries = 3;

// The first line, at most so much of it: somebody else's words.
std::string Words(std::string_view body) {
  std::string line(body.substr(0, std::min<size_t>(body.find('\n'), 200)));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return line;
}

std::string UrlOf(std::string url, std::string_view path) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url.append(path);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Cosigner>> Cosigner::Make(CosignerOptions options, audit::Log& log,
                                                         const audit::VerifierKey& log_key,
                                                         FileSystem& files, const Clock& clock,
                                                         OperationalLog& operations,
                                                         SnapshotCell<audit::CosignedHead>& shown,
                                                         Send send) {
  const auto& logs = options.policy.logs;
  const bool named = std::any_of(logs.begin(), logs.end(), [&](const audit::TlogPolicy::Log& one) {
    return one.key.name == log_key.name && one.key.public_key == log_key.public_key;
  });
  if (!named)
    return absl::InvalidArgumentError(
        absl::StrCat("the policy does not name this log: add the line \"log ",
                     audit::FormatVerifierKey(log_key), "\""));
  std::unique_ptr<Cosigner> cosigner(new Cosigner(std::move(options), log, log_key, files, clock,
                                                  operations, shown, std::move(send)));
  cosigner->LoadKept();
  return cosigner;
}

Cosigner::Cosigner(CosignerOptions options, audit::Log& log, audit::VerifierKey log_key,
                   FileSystem& files, const Clock& clock, OperationalLog& operations,
                   SnapshotCell<audit::CosignedHead>& shown, Send send)
    : options_(std::move(options)),
      log_(log),
      log_key_(std::move(log_key)),
      files_(files),
      clock_(clock),
      operations_(operations),
      shown_(shown),
      send_(std::move(send)),
      made_(clock.Monotonic()),
      pool_(std::make_unique<ThreadPool>(
          static_cast<int>(std::clamp<size_t>(options_.policy.witnesses.size(), 1, 16)),
          options_.policy.witnesses.size() + 1)) {
  MutexLock lock(mutex_);
  for (const audit::TlogPolicy::Witness& witness : options_.policy.witnesses)
    states_.push_back({.name = witness.name, .key = witness.key.name});
}

Cosigner::~Cosigner() { Stop(); }

// Derived from what witnesses said: where it is lost or of another policy, it is asked for anew.
void Cosigner::LoadKept() {
  const auto note = files_.ReadAll(options_.file, kMostKept);
  if (!note.ok()) return;
  const auto verdict = audit::Judge(*note, options_.policy);
  if (!verdict.ok() || !verdict->quorum || verdict->checkpoint.origin != log_key_.name ||
      verdict->checkpoint.size > log_.size())
    return;
  const auto when = static_cast<Micros>(verdict->quorum_seconds) * kSecond;
  MutexLock lock(mutex_);
  newest_ = std::make_shared<audit::CosignedHead>(audit::CosignedHead{*note, verdict->checkpoint});
  newest_time_ = when;
  newest_monotonic_ = clock_.Monotonic() - std::max<Micros>(clock_.Now() - when, 0);
  for (WitnessState& state : states_)
    for (const audit::Cosignature& one : verdict->cosignatures)
      if (one.name == state.name) state.records = verdict->checkpoint.size;
}

void Cosigner::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Cosigner::Stop() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  pool_->Close();
}

void Cosigner::Run() {
  for (;;) {
    if (const auto head = log_.Head(false); head.ok() && !head->empty() && Due(*head)) Round();
    HideWhatIsLate();
    MutexLock lock(mutex_);
    if (!stop_) changed_.WaitFor(mutex_, std::chrono::microseconds(options_.interval));
    if (stop_) return;
  }
}

bool Cosigner::Due(const std::string& head) const {
  MutexLock lock(mutex_);
  if (newest_ == nullptr || !newest_->note.starts_with(head)) return true;
  return clock_.Monotonic() - newest_monotonic_ >= options_.refresh ||
         std::any_of(states_.begin(), states_.end(),
                     [](const WitnessState& state) { return !state.failure.empty(); });
}

void Cosigner::Round() {
  const auto head = log_.Head(false);
  if (!head.ok() || head->empty()) return;
  const auto checkpoint = audit::VerifyCheckpoint(*head, log_key_);
  if (!checkpoint.ok()) return;
  // What the tasks share, which outlives this call where one is late.
  struct Answers {
    Mutex mutex;
    Condition changed;
    size_t waiting = 0;
    std::vector<NoteSignature> signatures;
  };
  const auto answers = std::make_shared<Answers>();
  answers->waiting = options_.policy.witnesses.size();
  for (size_t i = 0; i < options_.policy.witnesses.size(); ++i) {
    const bool taken = pool_->TrySubmit([this, i, answers, head = *head, checkpoint = *checkpoint] {
      auto signatures = AskOne(i, head, checkpoint);
      Note(i, checkpoint, signatures.status());
      MutexLock lock(answers->mutex);
      if (signatures.ok())
        answers->signatures.insert(answers->signatures.end(), signatures->begin(),
                                   signatures->end());
      --answers->waiting;
      answers->changed.NotifyAll();
    });
    if (taken) continue;
    MutexLock lock(answers->mutex);
    --answers->waiting;
  }
  std::vector<NoteSignature> signatures;
  {
    MutexLock lock(answers->mutex);
    while (answers->waiting > 0) answers->changed.Wait(answers->mutex);
    signatures = answers->signatures;
  }
  if (!stop_) Take(*head, *checkpoint, signatures);
}

absl::StatusOr<std::vector<NoteSignature>> Cosigner::AskOne(size_t witness, const std::string& head,
                                                            const Checkpoint& checkpoint) {
  const audit::TlogPolicy::Witness& asked = options_.policy.witnesses[witness];
  if (asked.url.empty())
    return absl::FailedPreconditionError("the policy gives no URL for it, so it is not asked");
  uint64_t old_size = 0;
  {
    MutexLock lock(mutex_);
    old_size = states_[witness].records;
  }
  for (int tries = 0; tries < kMostTries; ++tries) {
    if (old_size > checkpoint.size)
      return absl::DataLossError(
          absl::StrCat("it holds a head of ", old_size, " records, but the log's newest has ",
                       checkpoint.size, ": this is an older state of the log"));
    HttpCall call;
    AddCheckpoint request{.old_size = old_size, .checkpoint = head};
    SLUICE_ASSIGN_OR_RETURN(request.proof,
                            audit::ProveConsistency(log_, old_size, checkpoint.size));
    call.url = UrlOf(asked.url, "/add-checkpoint");
    call.body = FormatAddCheckpoint(request);
    call.timeout = options_.timeout;
    call.most_bytes = kMostAnswer;
    call.tls = options_.tls;
    call.stop = &stop_;
    SLUICE_ASSIGN_OR_RETURN(const HttpReply reply, send_(call));
    if (reply.status == 200) {
      SLUICE_ASSIGN_OR_RETURN(auto lines, audit::ParseSignatureLines(reply.body));
      // Of this witness alone, whatever else it says.
      std::erase_if(lines, [&](const NoteSignature& line) {
        return line.name != asked.key.name || line.id != asked.key.id;
      });
      SLUICE_ASSIGN_OR_RETURN(const std::string note, audit::AddSignatures(head, lines));
      SLUICE_RETURN_IF_ERROR(
          audit::VerifyCosignedCheckpoint(note, asked.key, checkpoint.origin).status());
      return lines;
    }
    std::string_view rest = reply.body;
    const auto line = audit::TakeLine(rest);
    const auto told = line ? audit::ParseDecimal(*line) : std::nullopt;
    if (reply.status != 409 || !told)
      return absl::UnavailableError(
          absl::StrCat("HTTP status ", reply.status, ": ", Words(reply.body)));
    old_size = *told;
  }
  return absl::UnavailableError("it names another last size each time");
}

void Cosigner::Note(size_t witness, const Checkpoint& checkpoint, const absl::Status& outcome) {
  if (stop_) return;
  std::string before;
  {
    MutexLock lock(mutex_);
    WitnessState& state = states_[witness];
    before = state.failure;
    state.failure = std::string(outcome.message());
    if (outcome.ok()) {
      state.records = checkpoint.size;
      state.cosigned = clock_.Now();
    }
  }
  const std::string& name = options_.policy.witnesses[witness].name;
  if (!outcome.ok() && before != outcome.message())
    operations_.Write(absl::IsDataLoss(outcome) ? Severity::kError : Severity::kWarning,
                      absl::IsDataLoss(outcome) ? "witness_is_ahead" : "witness_silent",
                      std::string(outcome.message()), {{"witness", name}});
  if (outcome.ok() && !before.empty())
    operations_.Write(Severity::kInfo, "witness_back", "it cosigns again", {{"witness", name}});
}

void Cosigner::Take(const std::string& head, const Checkpoint& checkpoint,
                    const std::vector<NoteSignature>& signatures) {
  if (signatures.empty() && !options_.policy.quorum.empty()) return;
  const auto note = audit::AddSignatures(head, signatures);
  if (!note.ok()) return;
  const auto verdict = audit::Judge(*note, options_.policy);
  if (!verdict.ok() || !verdict->quorum) return;
  auto cosigned =
      std::make_shared<const audit::CosignedHead>(audit::CosignedHead{*note, checkpoint});
  // Lost, it is asked for anew.
  if (const absl::Status kept = files_.WriteAtomically(options_.file, *note); !kept.ok())
    operations_.Write(Severity::kWarning, "cosigned_head_not_kept", std::string(kept.message()));
  {
    MutexLock lock(mutex_);
    newest_ = cosigned;
    newest_monotonic_ = clock_.Monotonic();
    newest_time_ = clock_.Now();
  }
  shown_.Set(std::move(cosigned));
}

void Cosigner::HideWhatIsLate() {
  std::shared_ptr<const audit::CosignedHead> newest = Newest();
  if (newest != nullptr && Age() > options_.late) newest = nullptr;
  if (shown_.Get() != newest) shown_.Set(std::move(newest));
}

std::vector<WitnessState> Cosigner::Witnesses() const {
  MutexLock lock(mutex_);
  return states_;
}

Micros Cosigner::Age() const {
  MutexLock lock(mutex_);
  return clock_.Monotonic() - (newest_ == nullptr ? made_ : newest_monotonic_);
}

std::shared_ptr<const audit::CosignedHead> Cosigner::Newest() const {
  MutexLock lock(mutex_);
  return newest_;
}

Micros Cosigner::Time() const {
  MutexLock lock(mutex_);
  return newest_time_;
}

}  // namespace sluice::witness
