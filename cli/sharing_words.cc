#include "cli/sharing_words.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/display.h"
#include "cli/json.h"
#include "cli/times.h"
#include "cli/words.h"

namespace sluice::cli {
namespace {

// Of an amendment, what fits on a page; the whole is in JSON.
constexpr int kDifferencesShown = 3;

std::string DifferenceWords(const Names& differences) {
  const int shown = std::min(kDifferencesShown, differences.size());
  std::string words = absl::StrJoin(differences.begin(), differences.begin() + shown, "; ");
  if (differences.size() > shown)
    absl::StrAppend(&words, "; and ", differences.size() - shown, " more");
  return words;
}

// " 2026-11-09 by public-security/li (why)".
std::string WhenAndWho(Micros time, const std::string& by, const std::string& why,
                       const absl::TimeZone& zone) {
  std::string words = absl::StrCat(" ", FormatDay(time, zone), " by ", PrincipalWords(by));
  if (!why.empty()) absl::StrAppend(&words, " (", why, ")");
  return words;
}

// Steps of a grant and of a dataset differ in their states alone. `verb` names a change of state;
// nullptr where there is none.
template <class Steps, class Verb>
void AddSteps(const Steps& steps, std::string_view first_verb, const absl::TimeZone& zone,
              const Verb& verb, std::vector<std::string>& parts) {
  auto state = steps.empty() ? 0 : static_cast<int>(steps.begin()->state());
  for (const auto& step : steps) {
    const char* change = verb(state, static_cast<int>(step.state()));
    std::string what = change != nullptr      ? change
                       : step.revision() == 1 ? std::string(first_verb)
                                              : "amended";
    const std::string why =
        change != nullptr ? step.state_reason() : DifferenceWords(step.differences());
    parts.push_back(what + WhenAndWho(ToMicros(step.changed()), step.changed_by(), why, zone));
    state = static_cast<int>(step.state());
  }
}

}  // namespace

std::string ConsumerWords(const std::string& agency, const Names& systems) {
  std::vector<std::string> names;
  for (const std::string& system : systems) names.push_back(absl::StrCat(agency, "/", system));
  return names.empty() ? agency + ", all its systems" : absl::StrJoin(names, ", ");
}

std::string BasisWords(const v1::LegalBasis& basis) {
  std::string law = LawWords(basis);
  if (!basis.text().empty()) absl::StrAppend(&law, " \"", basis.text(), "\"");
  return law;
}

std::string CallWords(const google::protobuf::RepeatedField<int>& modes, int32_t max_page_rows) {
  const auto has = [&modes](v1::Mode mode) {
    return std::find(modes.begin(), modes.end(), mode) != modes.end();
  };
  std::vector<std::string> parts;
  if (has(v1::MODE_QUERY)) {
    parts.emplace_back("Query");
    if (max_page_rows > 0) absl::StrAppend(&parts[0], ", up to ", max_page_rows, " rows a page");
  }
  if (has(v1::MODE_READ)) parts.emplace_back("Read");
  if (has(v1::MODE_MATCH)) parts.emplace_back("Match");
  if (has(v1::MODE_COUNT)) parts.emplace_back("Count");
  // What is not granted is said of rows: they are what people fear for.
  if (!has(v1::MODE_QUERY)) parts.emplace_back("no Query");
  if (!has(v1::MODE_READ)) parts.emplace_back("no Read");
  return absl::StrJoin(parts, "; ");
}

std::string QuotaWords(const v1::Quota& quota, const v1::QuotaLeft& left,
                       const absl::TimeZone& zone) {
  std::vector<std::string> parts;
  if (quota.calls_per_minute() > 0)
    parts.push_back(Grouped(quota.calls_per_minute()) + " calls a minute");
  if (quota.rows_per_day() > 0) {
    std::string day = Grouped(quota.rows_per_day()) + " rows a day";
    if (left.has_rows_today()) absl::StrAppend(&day, ", ", Grouped(left.rows_today()), " left");
    if (left.has_day_ends())
      absl::StrAppend(&day, ", new at ", FormatTime(ToMicros(left.day_ends()), zone));
    parts.push_back(std::move(day));
  }
  if (quota.rows_total() > 0) {
    std::string total = Grouped(quota.rows_total()) + " rows in all";
    if (left.has_rows_total()) absl::StrAppend(&total, ", ", Grouped(left.rows_total()), " left");
    parts.push_back(std::move(total));
  }
  if (quota.misses_per_day() > 0)
    parts.push_back(Grouped(quota.misses_per_day()) + " answers a day that are not a match");
  if (quota.tries_per_record() > 0)
    parts.push_back(Grouped(quota.tries_per_record()) + " of them about one record");
  return parts.empty() ? "no limit" : absl::StrJoin(parts, "; ");
}

void AddGrantedFields(Page& page, std::string_view label,
                      const google::protobuf::RepeatedPtrField<v1::GrantedField>& fields) {
  std::vector<std::vector<std::string>> lines;
  for (const v1::GrantedField& field : fields) {
    std::vector<std::string> uses;
    if (field.filter() == v1::MASKED_FILTER_EXACT)
      uses.emplace_back("may be asked for by exact value");
    if (field.filter() == v1::MASKED_FILTER_MASKED_VALUE)
      uses.emplace_back("may be asked for as masked");
    if (field.match() != v1::MATCH_RULE_UNSPECIFIED)
      uses.push_back(absl::StrCat(
          field.finds() ? "finds the record" : "is compared", " by ",
          absl::AsciiStrToLower(
              EnumWord(*v1::MatchRule_descriptor()->FindValueByNumber(field.match())))));
    lines.push_back({field.name(), MaskWords(field.mask()), absl::StrJoin(uses, ", ")});
  }
  page.AddTable(label, lines);
}

std::string DemandWords(const v1::Grant& grant) {
  std::vector<std::string> needs;
  if (grant.case_reference_required()) needs.push_back("case: required");
  if (grant.end_user_required()) needs.push_back("end user: required");
  return absl::StrJoin(needs, ", ");
}

std::vector<std::string> DutyParts(const v1::Duties& duties, const absl::TimeZone& zone) {
  std::vector<std::string> parts;
  parts.push_back(duties.may_pass_on_to().empty()
                      ? "no onward transfer"
                      : "may be passed on to " + absl::StrJoin(duties.may_pass_on_to(), ", "));
  const char* report = duties.report_destruction() ? " and report" : "";
  if (duties.has_destroy_by())
    parts.push_back(
        absl::StrCat("destroy by ", FormatDay(ToMicros(duties.destroy_by()), zone), report));
  else if (duties.destroy_within_days() > 0)
    parts.push_back(absl::StrCat("destroy within ", duties.destroy_within_days(), " days", report));
  else if (duties.report_destruction())
    parts.emplace_back("report its destruction");
  if (!duties.other().empty()) parts.push_back(duties.other());
  return parts;
}

std::string ConditionWords(const v1::Conditions& conditions) {
  std::vector<std::string> parts;
  if (!conditions.hours().empty())
    parts.push_back(
        absl::StrCat(absl::StrJoin(conditions.hours(), "; "), " (", conditions.time_zone(), ")"));
  if (!conditions.networks().empty())
    parts.push_back("from " + absl::StrJoin(conditions.networks(), ", "));
  return absl::StrJoin(parts, "; ");
}

std::string TellWords(const v1::Grant& grant) {
  std::vector<std::string> parts;
  const auto& modes = grant.modes();
  if (std::find(modes.begin(), modes.end(), v1::MODE_MATCH) != modes.end())
    parts.emplace_back(grant.match_tells_fields() ? "Match tells each field apart"
                                                  : "Match tells all fields together");
  if (std::find(modes.begin(), modes.end(), v1::MODE_COUNT) != modes.end())
    parts.push_back(absl::StrCat("Count tells no group under ",
                                 grant.least_group() > 0 ? grant.least_group() : 10, " rows"));
  return absl::StrJoin(parts, "; ");
}

std::string GrantState(const v1::Grant& grant, Micros now) {
  if (grant.state() == v1::GRANT_STATE_REVOKED) return "revoked";
  if (now >= ToMicros(grant.expires())) return "expired";
  if (grant.state() == v1::GRANT_STATE_SUSPENDED) return "suspended";
  if (grant.has_not_before() && now < ToMicros(grant.not_before())) return "not yet in force";
  return "in force";
}

std::string RequestState(v1::AccessRequestState state) {
  const auto* value = v1::AccessRequestState_descriptor()->FindValueByNumber(state);
  return value == nullptr ? absl::StrCat("state ", static_cast<int>(state))
                          : absl::AsciiStrToLower(EnumWord(*value));
}

std::vector<std::string> HistoryParts(const v1::GetGrantResponse& response,
                                      const absl::TimeZone& zone) {
  std::vector<std::string> parts;
  const v1::Grant& grant = response.grant();
  if (response.has_request())
    parts.push_back("requested" + WhenAndWho(ToMicros(response.request().submitted()),
                                             response.request().submitted_by(),
                                             response.request().id(), zone));
  else if (!grant.request().empty())
    parts.push_back("requested (" + grant.request() + ")");
  google::protobuf::RepeatedPtrField<v1::GrantRevision> steps = response.history();
  if (steps.empty() && grant.has_changed()) {  // at least who made it what it is
    v1::GrantRevision& last = *steps.Add();
    last.set_revision(grant.revision());
    *last.mutable_changed() = grant.changed();
    last.set_changed_by(grant.changed_by());
    last.set_state(grant.state());
  }
  AddSteps(
      steps, grant.request().empty() ? "given" : "approved", zone,
      [](int before, int now) -> const char* {
        if (before == now) return nullptr;
        return now == v1::GRANT_STATE_REVOKED     ? "revoked"
               : now == v1::GRANT_STATE_SUSPENDED ? "suspended"
                                                  : "resumed";
      },
      parts);
  return parts;
}

std::vector<std::string> HistoryParts(const v1::GetDatasetResponse& response,
                                      const absl::TimeZone& zone) {
  std::vector<std::string> parts;
  AddSteps(
      response.history(), "offered", zone,
      [](int before, int now) -> const char* {
        if (before == now) return nullptr;
        return now == v1::DATASET_STATE_RETIRED     ? "retired"
               : now == v1::DATASET_STATE_SUSPENDED ? "suspended"
                                                    : "resumed";
      },
      parts);
  return parts;
}

}  // namespace sluice::cli
