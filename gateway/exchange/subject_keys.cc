#include "gateway/exchange/subject_keys.h"

#include <google/protobuf/util/time_util.h>

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gateway/base/error.h"
#include "gateway/exchange/broker.h"
#include "gateway/records/utf8.h"

namespace sluice::exchange {
namespace {

constexpr size_t kMostAsked = 100;
constexpr size_t kMostLegalWords = 1000;
constexpr int kFirstYear = 2000;

absl::Status CheckAsking(const v1::OpenSubjectKeyRequest& request, Micros now) {
  const auto this_year = absl::ToCivilYear(absl::FromUnixMicros(now), absl::UTCTimeZone()).year();
  if (request.key_year() < kFirstYear || request.key_year() > this_year)
    return InvalidField("key_year", absl::StrCat("a year from 2000 to ", this_year));
  for (const auto& [path, text] : {std::pair("case_reference", &request.case_reference()),
                                   std::pair("basis.law", &request.basis().law()),
                                   std::pair("basis.article", &request.basis().article())}) {
    if (records::IsBlank(*text) || text->size() > kMostLegalWords || !records::ValidUtf8(*text))
      return InvalidField(path, "needed: at most 1,000 bytes of UTF-8");
  }
  return absl::OkStatus();
}

absl::Status NobodyAsked() {
  return Error(v1::REASON_NOT_FOUND,
               "nobody has asked for this: it is good for a day, and a gateway that was started "
               "since has forgotten it. Have it asked for anew.");
}

}  // namespace

void SubjectKeys::Open(const Call& call, const v1::OpenSubjectKeyRequest& request,
                       const Done& done) {
  done(request.id().empty() ? Ask(call, request) : OpenAsked(call, request));
}

absl::StatusOr<v1::OpenSubjectKeyResponse> SubjectKeys::Ask(
    const Call& call, const v1::OpenSubjectKeyRequest& request) {
  if (!call.principal->Has(v1::ROLE_AUDITOR))
    return Error(v1::REASON_ROLE_REQUIRED, "this is for auditors to ask.", {{"role", "auditor"}});
  const Micros now = parts_.clock.Now();
  SLUICE_RETURN_IF_ERROR(CheckAsking(request, now));
  Asked asked{.year = request.key_year(),
              .by = call.principal->path,
              .case_reference = request.case_reference(),
              .basis = request.basis(),
              .expires = now + kDay};
  const std::string id = absl::StrCat(
      "k-",
      HexEncode(parts_.pseudonyms.ForRequest(absl::StrCat(call.call_id, "\n", now))).substr(0, 12));
  SLUICE_ASSIGN_OR_RETURN(asked.index, Record(call, asked, "ask", id));
  v1::OpenSubjectKeyResponse response;
  response.set_id(id);
  *response.mutable_expires() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(asked.expires);
  response.set_index(asked.index);
  MutexLock lock(mutex_);
  std::erase_if(asked_, [now](const auto& one) { return one.second.expires <= now; });
  if (asked_.size() >= kMostAsked)
    return Error(v1::REASON_OVERLOADED, "a hundred keys are asked for and not opened.");
  asked_[id] = std::move(asked);
  return response;
}

absl::StatusOr<v1::OpenSubjectKeyResponse> SubjectKeys::OpenAsked(
    const Call& call, const v1::OpenSubjectKeyRequest& request) {
  if (!call.principal->Has(v1::ROLE_AUDITOR) && !call.principal->Has(v1::ROLE_AUTHORITY))
    return Error(v1::REASON_ROLE_REQUIRED, "this is for auditors and the authority.",
                 {{"role", "auditor"}});
  Asked asked;
  {
    MutexLock lock(mutex_);
    const auto found = asked_.find(request.id());
    if (found == asked_.end() || found->second.expires <= parts_.clock.Now()) return NobodyAsked();
    asked = found->second;
  }
  if (request.key_year() != 0 && request.key_year() != asked.year)
    return InvalidField("key_year", "another year was asked for");
  if (asked.by == call.principal->path)
    return Error(v1::REASON_SAME_HANDS, "whoever asked for it does not open it.");
  {
    // Opened once: of two who open it at a time one is too late.
    MutexLock lock(mutex_);
    if (asked_.erase(request.id()) == 0) return NobodyAsked();
  }
  v1::OpenSubjectKeyResponse response;
  response.set_id(request.id());
  SLUICE_ASSIGN_OR_RETURN(
      const int64_t index,
      Record(call, asked, "open", absl::StrCat("asked for by ", asked.by, ", #", asked.index)));
  response.set_index(index);
  for (const std::string& id_type : audit::IdTypes())
    response.mutable_key()->append(parts_.pseudonyms.SubjectKey(id_type, asked.year));
  return response;
}

absl::StatusOr<int64_t> SubjectKeys::Record(const Call& call, const Asked& asked,
                                            const char* action, const std::string& why) {
  audit::Draft draft = DraftFor(v1::RECORD_KIND_CHANGED, call);
  draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_resource_kind("subject_key");
  draft.envelope.set_resource_name(absl::StrCat(asked.year));
  draft.envelope.set_action(action);
  *draft.envelope.mutable_basis() = asked.basis;
  draft.detail.set_case_reference(asked.case_reference);
  draft.detail.set_change_reason(why);
  SLUICE_ASSIGN_OR_RETURN(audit::SealedRecord sealed, parts_.sealer.Seal(std::move(draft)));
  auto appended = std::make_shared<std::promise<absl::StatusOr<v1::Receipt>>>();
  parts_.log.Append(std::move(sealed), [appended](absl::StatusOr<v1::Receipt> receipt) {
    appended->set_value(std::move(receipt));
  });
  SLUICE_ASSIGN_OR_RETURN(const v1::Receipt receipt, appended->get_future().get());
  return receipt.index();
}

}  // namespace sluice::exchange
