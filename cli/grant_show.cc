#include "cli/grant_show.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/page.h"
#include "cli/sharing_words.h"
#include "cli/times.h"
#include "cli/words.h"

namespace sluice::cli {
namespace {

// "IN FORCE until 2027-03-31 24:00 (128 days)", "SUSPENDED: why".
std::string StateWords(const Session& session, const v1::Grant& grant) {
  const Micros now = session.environment.clock.Now();
  const Micros until = ToMicros(grant.expires());
  const std::string state = GrantState(grant, now);
  const std::string word = absl::AsciiStrToUpper(state);
  if (state == "revoked" || state == "suspended")
    return grant.state_reason().empty() ? word : absl::StrCat(word, ": ", grant.state_reason());
  std::string words = absl::StrCat(word, " until ", FormatTime(until, session.environment.zone));
  if (now < until) absl::StrAppend(&words, " (", (until - now) / kDay, " days)");
  return words;
}

std::string Titled(const Session& session, const v1::Text& text) {
  const std::string title = TitleOf(text, session.chinese());
  return title.empty() ? "" : "  " + title;
}

std::vector<std::string> LeftOut(const v1::Grant& grant, const v1::Dataset& dataset) {
  std::vector<std::string> names;
  for (const v1::DatasetField& field : dataset.fields()) {
    const bool granted =
        std::any_of(grant.fields().begin(), grant.fields().end(),
                    [&](const v1::GrantedField& one) { return one.name() == field.name(); });
    if (!granted) names.push_back(field.name());
  }
  return names;
}

}  // namespace

std::string FormatGrant(const Session& session, const GrantPage& page) {
  const v1::Grant& grant = page.answer.grant();
  const absl::TimeZone& zone = session.environment.zone;
  Page out(session);
  out.Head(absl::StrCat("GRANT ", grant.id(), ", revision ", grant.revision()),
           StateWords(session, grant));
  out.Add("Who", ConsumerWords(grant.consumer_agency(), grant.systems()));
  out.Add("Asks", absl::StrCat(grant.dataset(), Titled(session, page.dataset.title())));
  const std::string demands = DemandWords(grant);
  out.Add("What for", absl::StrCat(absl::StrJoin(grant.purposes(), ", "),
                                   demands.empty() ? "" : "          ", demands));
  out.Add("By law", BasisWords(grant.basis()));
  AddGrantedFields(out, "Fields", grant.fields());
  if (const auto names = LeftOut(grant, page.dataset); !names.empty())
    out.Add("", "not in it: " + absl::StrJoin(names, ", "));
  out.Add("Rows", grant.row_filter().empty() ? "all" : grant.row_filter());
  out.Add("Calls", CallWords(grant.modes(), grant.max_page_rows()));
  out.Add("Quota", QuotaWords(grant.quota(), page.answer.quota_left(), zone));
  if (const std::string tells = TellWords(grant); !tells.empty()) out.Add("Tells", tells);
  if (const std::string when = ConditionWords(grant.conditions()); !when.empty())
    out.Add("Answers", when);
  if (!grant.scope().empty()) out.Add("Scope", grant.scope());
  out.AddParts("Duties", DutyParts(grant.duties(), zone));
  out.AddParts("History", HistoryParts(page.answer, zone));
  out.Add("Use", absl::StrCat("sluice audit list --grant ", grant.id()));
  return out.text();
}

}  // namespace sluice::cli
