#include "cli/record_filter.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/failure.h"
#include "cli/record_words.h"
#include "cli/times.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr char kKinds[] =
    "released, denied, denials, failed, opened, progress, closed, abandoned, changed, read, "
    "checked, previewed, started or stopped";

absl::Status SetPrincipal(const FilterOptions& options, v1::RecordFilter& filter) {
  if (!options.system.empty() && !options.person.empty())
    return UsageError("--system and --person exclude each other.", "--system civil-affairs/relief");
  const std::string& name = options.system.empty() ? options.person : options.system;
  if (name.empty()) return absl::OkStatus();
  const size_t slash = name.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == name.size())
    return UsageError("a system or person is named with its agency.",
                      "--system civil-affairs/relief, --person civil-affairs/wang-fang");
  filter.set_principal(absl::StrCat("agency/", name.substr(0, slash),
                                    options.system.empty() ? "/person/" : "/system/",
                                    name.substr(slash + 1)));
  return absl::OkStatus();
}

absl::Status SetSubject(const Environment& environment, const std::string& text,
                        v1::RecordFilter& filter) {
  if (text.empty()) return absl::OkStatus();
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
    return UsageError("a data subject is TYPE:ID, or TYPE:- for an ID from standard input.",
                      "--subject CN-RID:- < FILE");
  filter.mutable_subject()->set_id_type(text.substr(0, colon));
  std::string id = text.substr(colon + 1);
  if (id == "-") {
    std::getline(environment.in, id);
    while (!id.empty() && (id.back() == '\r' || id.back() == '\n')) id.pop_back();
    if (id.empty())
      return UsageError("no identifier came from standard input.", "--subject CN-RID:- < FILE");
  }
  filter.mutable_subject()->set_id(id);
  return absl::OkStatus();
}

absl::Status SetWords(const FilterOptions& options, v1::RecordFilter& filter) {
  static const auto* const outcomes =
      new std::map<std::string, v1::RecordOutcome>{{"let-go", v1::RECORD_OUTCOME_LET_GO},
                                                   {"denied", v1::RECORD_OUTCOME_DENIED},
                                                   {"failed", v1::RECORD_OUTCOME_FAILED}};
  if (!options.outcome.empty()) {
    const auto found = outcomes->find(options.outcome);
    if (found == outcomes->end())
      return UsageError(absl::StrCat("\"", options.outcome, "\" is no outcome."),
                        "let-go, denied or failed");
    filter.set_outcome(found->second);
  }
  if (!options.reason.empty()) {
    v1::Reason reason = v1::REASON_UNSPECIFIED;
    if (!v1::Reason_Parse("REASON_" + absl::AsciiStrToUpper(options.reason), &reason))
      return UsageError(absl::StrCat("\"", options.reason, "\" is no reason."),
                        "sluice explain --all lists them");
    filter.set_reason(reason);
  }
  if (options.kind.empty()) return absl::OkStatus();
  filter.set_kind(KindFromWord(options.kind));
  if (filter.kind() == v1::RECORD_KIND_UNSPECIFIED)
    return UsageError(absl::StrCat("\"", options.kind, "\" is no kind of record."), kKinds);
  return absl::OkStatus();
}

}  // namespace

void AddFilterOptions(CLI::App& command, FilterOptions& options) {
  command.add_option("--since", options.since, "today, 2026-11-23, 2h, or a whole time");
  command.add_option("--until", options.until, "not included");
  command.add_option("--agency", options.agency, "of the consumer, or of who acted");
  command.add_option("--system", options.system, "who acted: AGENCY/SYSTEM");
  command.add_option("--person", options.person, "who acted: AGENCY/PERSON");
  command.add_option("--user", options.user, "the end user that the consumer named");
  command.add_option("--on-behalf-of", options.on_behalf_of, "as the consumer said it");
  command.add_option("--owner", options.owner, "agency that owns the dataset");
  command.add_option("--dataset", options.dataset, "AGENCY/DATASET");
  command.add_option("--grant", options.grant, "such as 7q4m2k");
  command.add_option("--purpose", options.purpose, "its code");
  command.add_option("--law", options.law, "of the legal basis, its whole name");
  command.add_option("--article", options.article, "of the legal basis");
  command.add_option("--case", options.case_reference, "the case that the consumer named");
  command.add_option("--subject", options.subject,
                     "whose data: TYPE:ID such as CN-RID:…, or TYPE:- for an ID from standard "
                     "input, which no list of processes shows");
  command.add_flag("--certain", options.certain,
                   "with --subject: without records that list no subjects");
  command.add_option("--outcome", options.outcome, "let-go, denied, failed");
  command.add_option("--reason", options.reason, "such as PURPOSE_NOT_GRANTED");
  command.add_option("--kind", options.kind,
                     absl::StrCat(kKinds, "; without it, all but progress"));
}

absl::StatusOr<v1::RecordFilter> MakeFilter(const Environment& environment,
                                            const FilterOptions& options) {
  v1::RecordFilter filter;
  const Micros now = environment.clock.Now();
  if (!options.since.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const Micros since, ParseWhen(options.since, now, environment.zone));
    *filter.mutable_since() = ToTimestamp(since);
  }
  if (!options.until.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const Micros until, ParseWhen(options.until, now, environment.zone));
    *filter.mutable_until() = ToTimestamp(until);
  }
  if (filter.has_since() && filter.has_until() &&
      ToMicros(filter.until()) <= ToMicros(filter.since()))
    return UsageError("--until is not later than --since.",
                      "--since 2026-11-01 --until 2026-11-30");
  if (options.certain && options.subject.empty())
    return UsageError("--certain is about a --subject.", "--subject CN-RID:- --certain");
  SLUICE_RETURN_IF_ERROR(SetPrincipal(options, filter));
  SLUICE_RETURN_IF_ERROR(SetWords(options, filter));
  SLUICE_RETURN_IF_ERROR(SetSubject(environment, options.subject, filter));
  filter.set_certain(options.certain);
  filter.set_agency(options.agency);
  filter.set_owner_agency(options.owner);
  filter.set_dataset(options.dataset);
  filter.set_grant(options.grant);
  filter.set_purpose(options.purpose);
  filter.set_law(options.law);
  filter.set_article(options.article);
  filter.set_case_reference(options.case_reference);
  filter.set_end_user(options.user);
  filter.set_on_behalf_of(options.on_behalf_of);
  return filter;
}

}  // namespace sluice::cli
