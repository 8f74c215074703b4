#include "cli/access_show.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/clock_words.h"
#include "cli/matter_show.h"
#include "cli/page.h"
#include "cli/sharing_words.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/sharing/clock_profile.h"
#include "gateway/sharing/request_life.h"

namespace sluice::cli {
namespace {

std::string StateWords(const v1::AccessRequest& request) {
  if (request.state() == v1::ACCESS_REQUEST_STATE_UNSPECIFIED) return "NOT SENT";
  std::string words = absl::AsciiStrToUpper(RequestState(request.state()));
  if (request.state() == v1::ACCESS_REQUEST_STATE_DRAFTED)
    return words + ", your sharing office has not sent it";
  if (request.state() == v1::ACCESS_REQUEST_STATE_SUBMITTED)
    return words + ", the owner has not decided";
  if (request.state() == v1::ACCESS_REQUEST_STATE_DISPUTED)
    absl::StrAppend(&words, ", it was ", RequestState(request.behind()));
  return request.grant().empty() ? words : absl::StrCat(words, ": grant ", request.grant());
}

std::string Span(const v1::AccessRequest& request, const absl::TimeZone& zone) {
  const std::string until = "until " + FormatTime(ToMicros(request.expires()), zone);
  return request.has_not_before()
             ? absl::StrCat("from ", FormatTime(ToMicros(request.not_before()), zone), " ", until)
             : until;
}

// A line a step: what, when, by whom, as which, and what was said.
void AddSteps(Page& page, const v1::AccessRequest& request, const absl::TimeZone& zone) {
  std::string_view label = "History";
  const auto add = [&](const std::string& line) {
    page.Add(label, line);
    label = "";
  };
  for (const v1::AccessStep& step : request.steps()) {
    std::string line = absl::StrCat(
        sharing::ActionWord(step.action()), " ", FormatTime(ToMicros(step.taken()), zone), " by ",
        PrincipalWords(step.taken_by()), ", ", OfficeWords(step.office()));
    if (!step.reason().empty()) absl::StrAppend(&line, ": ", step.reason());
    add(line);
    if (!step.basis().law().empty() && step.action() != v1::ACCESS_ACTION_GRANT)
      add("  by " + BasisWords(step.basis()));
    for (const std::string& paper : step.papers()) add("  paper: " + paper);
  }
}

// Where the proposal's fields are those asked for, and nothing else of it differs.
void AddProposal(Page& page, const v1::Grant& proposed) {
  page.Add("Approved", "as asked, it would give:");
  AddGrantedFields(page, "", proposed.fields());
  if (const std::string demands = DemandWords(proposed); !demands.empty()) page.Add("", demands);
}

}  // namespace

std::string FormatRequest(const Session& session, const v1::GetAccessRequestResponse& answer,
                          std::string_view next) {
  const v1::AccessRequest& request = answer.request();
  const absl::TimeZone& zone = session.environment.zone;
  Page page(session);
  page.Head(request.id().empty() ? "ACCESS REQUEST" : "ACCESS REQUEST " + request.id(),
            StateWords(request));
  if (!request.consumer_agency().empty())
    page.Add("Who", ConsumerWords(request.consumer_agency(), request.systems()));
  page.Add("Asks", request.dataset());
  page.Add("What for", absl::StrJoin(request.purposes(), ", "));
  page.Add("By law", BasisWords(request.basis()));
  page.Add("Fields", absl::StrJoin(request.fields(), ", "));
  page.Add("Rows", request.row_filter().empty() ? "all" : request.row_filter());
  page.Add("Calls", CallWords(request.modes(), 0));
  page.Add("Quota", QuotaWords(request.quota(), {}, zone));
  page.Add("Time", Span(request, zone));
  if (!request.scenario().empty()) page.Add("Scenario", request.scenario());
  if (!request.scope().empty()) page.Add("Scope", request.scope());
  if (!request.justification().empty()) page.Add("Why", request.justification());
  AddSteps(page, request, zone);
  AddClocks(page, answer.clocks(), zone);
  if (answer.has_proposed()) AddProposal(page, answer.proposed());
  if (!next.empty()) page.Add("next", next);
  return page.text();
}

std::string NextOfRequest(const v1::GetAccessRequestResponse& answer) {
  const std::string id = ShellQuoted(answer.request().id());
  if (answer.has_proposed() && answer.actions_size() > 0)
    return absl::StrCat("sluice access preview ", id, "      then: sluice access approve ", id,
                        ", or refuse it");
  if (answer.request().state() == v1::ACCESS_REQUEST_STATE_DRAFTED)
    return absl::StrCat("sluice access submit ", id, "      by a person of your sharing office");
  if (!answer.request().grant().empty())
    return "sluice grant show " + ShellQuoted(answer.request().grant());
  if (sharing::IsUndecided(answer.request().state()))
    return absl::StrCat("sluice access show ", id, "      what became of it");
  return "";
}

}  // namespace sluice::cli
