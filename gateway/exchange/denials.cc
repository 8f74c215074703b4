#include "gateway/exchange/denials.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr int kRecordedASecond = 10;
constexpr int kMostSubjects = 2000;
// Strangers cannot fill the memory with names: beyond this many callers and reasons in one second,
// each is recorded on its own.
constexpr size_t kMostWindows = 4096;

}  // namespace

void Denials::Record(audit::Draft draft, std::function<void(absl::StatusOr<int64_t>)> done) {
  const int64_t second = clock_.Monotonic() / kSecond;
  std::optional<audit::Draft> over;
  bool counted = false;
  {
    MutexLock lock(mutex_);
    const std::string key =
        absl::StrCat(draft.envelope.actor().principal(), "\n", draft.envelope.reason());
    const auto found = windows_.find(key);
    if (found != windows_.end() || windows_.size() < kMostWindows) {
      Window& window = windows_[key];
      if (window.second != second) {
        if (window.counted.envelope.count() > 0) over = std::move(window.counted);
        window = Window{second, 0, audit::Draft()};
      }
      counted = ++window.recorded > kRecordedASecond;
      if (counted) Count(draft, window);
    }
  }
  if (over) Append(*std::move(over), [](absl::StatusOr<int64_t>) {});
  // A log that takes no more takes no count either.
  if (counted && log_.poisoned())
    return done(Error(v1::REASON_AUDIT_UNAVAILABLE, "the refusal could not be recorded."));
  if (counted) return done(-1);
  Append(std::move(draft), std::move(done));
}

void Denials::Count(const audit::Draft& denied, Window& window) {
  audit::Draft& draft = window.counted;
  if (draft.envelope.count() == 0) {
    draft = audit::NewDraft(v1::RECORD_KIND_DENIALS);
    *draft.envelope.mutable_actor() = denied.envelope.actor();
    draft.envelope.set_reason(denied.envelope.reason());
    draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
    draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
    draft.detail = denied.detail;
    draft.detail.clear_asked();
    // The denials of one second may be about several; what they share stays.
    draft.envelope.set_dataset(denied.envelope.dataset());
    draft.envelope.set_owner_agency(denied.envelope.owner_agency());
    draft.envelope.set_grant(denied.envelope.grant());
    draft.envelope.set_purpose(denied.envelope.purpose());
  }
  v1::AuditEnvelope& all = draft.envelope;
  all.set_count(all.count() + 1);
  if (all.dataset() != denied.envelope.dataset()) all.clear_dataset();
  if (all.owner_agency() != denied.envelope.owner_agency()) all.clear_owner_agency();
  if (all.grant() != denied.envelope.grant()) all.clear_grant();
  if (all.purpose() != denied.envelope.purpose()) all.clear_purpose();
  v1::AuditDetail& detail = draft.detail;
  if (detail.case_reference() != denied.detail.case_reference()) detail.clear_case_reference();
  if (detail.end_user() != denied.detail.end_user()) detail.clear_end_user();
  if (detail.on_behalf_of() != denied.detail.on_behalf_of()) detail.clear_on_behalf_of();
  if (denied.envelope.subjects_asked() == v1::SUBJECT_SCOPE_POPULATION ||
      draft.detail.asked_size() + denied.detail.asked_size() > kMostSubjects) {
    all.set_subjects_asked(v1::SUBJECT_SCOPE_POPULATION);
    draft.detail.clear_asked();
  } else if (denied.detail.asked_size() > 0 &&
             all.subjects_asked() != v1::SUBJECT_SCOPE_POPULATION) {
    all.set_subjects_asked(v1::SUBJECT_SCOPE_LISTED);
    draft.detail.mutable_asked()->MergeFrom(denied.detail.asked());
  }
}

void Denials::Flush(bool all) {
  const int64_t second = clock_.Monotonic() / kSecond;
  std::vector<audit::Draft> over;
  {
    MutexLock lock(mutex_);
    for (auto window = windows_.begin(); window != windows_.end();) {
      if (!all && window->second.second == second) {
        ++window;
        continue;
      }
      if (window->second.counted.envelope.count() > 0)
        over.push_back(std::move(window->second.counted));
      window = windows_.erase(window);
    }
  }
  for (audit::Draft& draft : over) Append(std::move(draft), [](absl::StatusOr<int64_t>) {});
}

void Denials::Append(audit::Draft draft, std::function<void(absl::StatusOr<int64_t>)> done) {
  auto sealed = sealer_.Seal(std::move(draft));
  if (!sealed.ok()) return done(sealed.status());
  log_.Append(*std::move(sealed), [done = std::move(done)](absl::StatusOr<v1::Receipt> receipt) {
    if (!receipt.ok()) return done(receipt.status());
    done(receipt->index());
  });
}

}  // namespace sluice::exchange
