#include "cli/access_show.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/page.h"
#include "cli/sharing_words.h"
#include "cli/times.h"
#include "cli/words.h"

namespace sluice::cli {
namespace {

std::string StateWords(const v1::AccessRequest& request) {
  if (request.state() == v1::ACCESS_REQUEST_STATE_UNSPECIFIED) return "NOT SENT";
  const std::string word = absl::AsciiStrToUpper(RequestState(request.state()));
  if (request.state() == v1::ACCESS_REQUEST_STATE_SUBMITTED)
    return word + ", the owner has not decided";
  return request.grant().empty() ? word : absl::StrCat(word, ": grant ", request.grant());
}

std::string Span(const v1::AccessRequest& request, const absl::TimeZone& zone) {
  const std::string until = "until " + FormatTime(ToMicros(request.expires()), zone);
  return request.has_not_before()
             ? absl::StrCat("from ", FormatTime(ToMicros(request.not_before()), zone), " ", until)
             : until;
}

std::string DecisionWord(v1::AccessRequestState state) {
  return state == v1::ACCESS_REQUEST_STATE_WITHDRAWN ? "withdrawn" : RequestState(state);
}

void AddHistory(Page& page, const v1::AccessRequest& request, const absl::TimeZone& zone) {
  std::vector<std::string> parts;
  const auto step = [&](const std::string& what, const google::protobuf::Timestamp& time,
                        const std::string& by) {
    parts.push_back(
        absl::StrCat(what, " ", FormatTime(ToMicros(time), zone), " by ", PrincipalWords(by)));
  };
  if (request.has_submitted()) step("submitted", request.submitted(), request.submitted_by());
  if (request.has_decided())
    step(DecisionWord(request.state()), request.decided(), request.decided_by());
  page.AddParts("History", parts);
  if (!request.decision_reason().empty()) page.Add("Decision", request.decision_reason());
  if (!request.decision_basis().law().empty())
    page.Add("", "by " + BasisWords(request.decision_basis()));
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
  if (!request.justification().empty()) page.Add("Why", request.justification());
  AddHistory(page, request, zone);
  if (answer.has_proposed()) AddProposal(page, answer.proposed());
  if (!next.empty()) page.Add("next", next);
  return page.text();
}

std::string NextOfRequest(const v1::GetAccessRequestResponse& answer) {
  const std::string id = ShellQuoted(answer.request().id());
  if (answer.has_proposed())
    return absl::StrCat("sluice access preview ", id, "      then: sluice access approve ", id,
                        ", or refuse it");
  if (!answer.request().grant().empty())
    return "sluice grant show " + ShellQuoted(answer.request().grant());
  if (answer.request().state() == v1::ACCESS_REQUEST_STATE_SUBMITTED)
    return absl::StrCat("sluice access show ", id, "      what became of it");
  return "";
}

}  // namespace sluice::cli
