#include "gateway/exchange/log_question.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr size_t kMostText = 1000;
constexpr int kMostYears = 100;

Micros WhenOf(const google::protobuf::Timestamp& time) {
  return time.seconds() * kSecond + time.nanos() / 1000;
}

absl::Status BadFilter(const std::string& field, const std::string& mistake) {
  absl::Status status =
      Error(v1::REASON_REQUEST_INVALID, absl::StrCat("filter.", field, ": ", mistake));
  AddFieldViolation(status, absl::StrCat("filter.", field), mistake);
  return status;
}

// A text condition: its name, where it stands in the filter, and in the query.
struct TextCondition {
  const char* name;
  std::string* (v1::RecordFilter::*in_filter)();
  std::string audit::RecordQuery::*in_query;
};

constexpr TextCondition kTexts[] = {
    {"agency", &v1::RecordFilter::mutable_agency, &audit::RecordQuery::agency},
    {"principal", &v1::RecordFilter::mutable_principal, &audit::RecordQuery::principal},
    {"owner_agency", &v1::RecordFilter::mutable_owner_agency, &audit::RecordQuery::owner},
    {"dataset", &v1::RecordFilter::mutable_dataset, &audit::RecordQuery::dataset},
    {"grant", &v1::RecordFilter::mutable_grant, &audit::RecordQuery::grant},
    {"purpose", &v1::RecordFilter::mutable_purpose, &audit::RecordQuery::purpose},
    {"law", &v1::RecordFilter::mutable_law, &audit::RecordQuery::law},
    {"article", &v1::RecordFilter::mutable_article, &audit::RecordQuery::article},
    {"case_reference", &v1::RecordFilter::mutable_case_reference,
     &audit::RecordQuery::case_reference},
    {"end_user", &v1::RecordFilter::mutable_end_user, &audit::RecordQuery::end_user},
    {"on_behalf_of", &v1::RecordFilter::mutable_on_behalf_of, &audit::RecordQuery::on_behalf_of},
};

int YearAt(Micros time) {
  return static_cast<int>(
      absl::ToCivilYear(absl::FromUnixMicros(time), absl::UTCTimeZone()).year());
}

// Years of which the log has records: those that the index knows of, and from the first record on.
absl::StatusOr<std::vector<int>> YearsOf(audit::Log& log, const audit::SearchIndex& index,
                                         Micros now) {
  std::vector<int> years = index.Years();
  if (log.size() == 0) return years;
  SLUICE_ASSIGN_OR_RETURN(const audit::Log::Entry first, log.ReadOne(0));
  v1::AuditEnvelope envelope;
  if (!envelope.ParseFromString(first.record.envelope))
    return absl::DataLossError("record 0 does not parse");
  // However far off a clock was.
  const int last = YearAt(now);
  for (int year = std::max(YearAt(audit::TimeOf(envelope)), last - kMostYears); year <= last;
       ++year)
    years.push_back(year);
  return years;
}

// A pseudonym for each of these years, and those that may come while the log is followed.
absl::Status FillSubjects(const v1::SubjectId& subject, const audit::Pseudonyms& pseudonyms,
                          std::vector<int> years, Micros now, audit::RecordQuery& query) {
  if (!audit::IsIdType(subject.id_type()))
    return BadFilter("subject.id_type",
                     absl::StrCat("one of ", absl::StrJoin(audit::IdTypes(), ", ")));
  if (subject.id().empty()) return BadFilter("subject.id", "needed");
  if (subject.id().size() > kMostText) return BadFilter("subject.id", "at most 1,000 bytes");
  const int this_year = YearAt(now);
  // An access that began before midnight of New Year has the key of the year before.
  if (!years.empty()) years.push_back(*std::min_element(years.begin(), years.end()) - 1);
  years.insert(years.end(), {this_year - 1, this_year, this_year + 1});
  std::sort(years.begin(), years.end());
  years.erase(std::unique(years.begin(), years.end()), years.end());
  for (const int year : years) {
    const Micros within =
        absl::ToUnixMicros(absl::FromCivil(absl::CivilMonth(year, 6), absl::UTCTimeZone()));
    query.subjects.push_back(pseudonyms.ForSubject(subject.id_type(), subject.id(), within));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<audit::Scope> ScopeOf(const identity::Principal& who) {
  audit::Scope scope;
  scope.all = who.Has(v1::ROLE_AUDITOR);
  scope.agency = who.agency;
  scope.owned_datasets = who.Has(v1::ROLE_OWNER);
  // An operator runs the gateway: what passes through it is not his to read.
  if (who.Has(v1::ROLE_OPERATOR) && !scope.all && !scope.owned_datasets)
    return Error(v1::REASON_ROLE_REQUIRED, "an operator reads no audit records; an auditor does.");
  return scope;
}

absl::StatusOr<LogQuestion> PrepareQuestion(const identity::Principal& who,
                                            const v1::RecordFilter& filter,
                                            const audit::Pseudonyms& pseudonyms, audit::Log& log,
                                            audit::SearchIndex& index, Micros now) {
  LogQuestion question;
  SLUICE_ASSIGN_OR_RETURN(question.scope, ScopeOf(who));
  question.recorded = filter;
  audit::RecordQuery& query = question.query;
  if (filter.has_since()) query.since = WhenOf(filter.since());
  if (filter.has_until()) query.until = WhenOf(filter.until());
  query.outcome = filter.outcome();
  query.reason = filter.reason();
  query.kind = filter.kind();
  query.certain = filter.certain();
  if (filter.has_subject()) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<int> years, YearsOf(log, index, now));
    SLUICE_RETURN_IF_ERROR(
        FillSubjects(filter.subject(), pseudonyms, std::move(years), now, query));
    question.recorded.mutable_subject()->clear_id();
  } else if (filter.certain()) {
    return BadFilter("certain", "only with a subject");
  }
  for (const TextCondition& text : kTexts) {
    std::string& value = *(question.recorded.*text.in_filter)();
    if (value.empty()) continue;
    if (value.size() > kMostText) return BadFilter(text.name, "at most 1,000 bytes");
    query.*text.in_query = value;
    audit::RecordQuery alone;
    alone.*text.in_query = value;
    SLUICE_ASSIGN_OR_RETURN(const audit::SearchResult found,
                            index.Search(log, alone, question.scope, {.limit = 1}));
    if (found.hits.empty())
      value = "digest " + HexEncode(pseudonyms.ForParameter("audit/search", value));
  }
  return question;
}

}  // namespace sluice::exchange
