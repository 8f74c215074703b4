#include "cli/matter_show.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/sharing_words.h"

namespace sluice::cli {

void AddClocks(Page& page, const google::protobuf::RepeatedPtrField<v1::Clock>& clocks,
               const absl::TimeZone& zone) {
  std::vector<std::vector<std::string>> lines;
  for (const v1::Clock& clock : clocks)
    lines.push_back({ClockName(clock), OfficeWords(clock.office()), ClockWords(clock, zone)});
  page.AddTable("Clocks", lines);
}

std::vector<std::string> CorrectionVerbs(const google::protobuf::RepeatedField<int>& actions) {
  std::vector<std::string> verbs;
  for (const int action : actions) {
    const bool answers =
        action == v1::CORRECTION_ACTION_CORRECT || action == v1::CORRECTION_ACTION_CONFIRM;
    const std::string verb = answers ? "answer" : sharing::CorrectionLife().ActionWord(action);
    if (std::find(verbs.begin(), verbs.end(), verb) == verbs.end()) verbs.push_back(verb);
  }
  return verbs;
}

std::string FormatCorrection(const Session& session, const v1::GetCorrectionResponse& answer,
                             std::string_view next) {
  const v1::Correction& correction = answer.correction();
  const absl::TimeZone& zone = session.environment.zone;
  Page page(session);
  page.Head(correction.id().empty() ? "CORRECTION" : "CORRECTION " + correction.id(),
            correction.id().empty()
                ? "NOT SENT"
                : absl::AsciiStrToUpper(sharing::CorrectionLife().StateWord(correction.state())));
  page.Add("Who", correction.consumer_agency());
  page.Add("Asks", correction.dataset());
  page.Add("Fields", correction.fields().empty() ? "the rows as such"
                                                 : absl::StrJoin(correction.fields(), ", "));
  page.Add("Doubt", correction.doubt());
  if (correction.has_record_index())
    page.Add("Answer", absl::StrCat("audit record ", correction.record_index(), ", as ",
                                    correction.consumer_agency(), " says"));
  for (const std::string& paper : correction.papers()) page.Add("", "paper: " + paper);
  AddMatterSteps(page, correction, zone, [&page](const v1::CorrectionStep& step) {
    for (const std::string& paper : step.papers()) page.Add("", "  paper: " + paper);
  });
  AddClocks(page, answer.clocks(), zone);
  if (!next.empty()) page.Add("next", next);
  return page.text();
}

std::string UpdateVerb(int action) {
  return absl::StrReplaceAll(sharing::CatalogueUpdateLife().ActionWord(action), {{"_", "-"}});
}

std::vector<std::string> UpdateVerbs(const google::protobuf::RepeatedField<int>& actions) {
  std::vector<std::string> verbs;
  for (const int action : actions) verbs.push_back(UpdateVerb(action));
  return verbs;
}

std::string FormatUpdate(const Session& session, const v1::GetCatalogueUpdateResponse& answer,
                         std::string_view next) {
  const v1::CatalogueUpdate& update = answer.update();
  const absl::TimeZone& zone = session.environment.zone;
  Page page(session);
  page.Head(update.id().empty() ? "CATALOGUE UPDATE" : "CATALOGUE UPDATE " + update.id(),
            update.id().empty()
                ? "NOT SENT"
                : absl::AsciiStrToUpper(sharing::CatalogueUpdateLife().StateWord(update.state())));
  page.Add("Agency", update.agency());
  page.Add("Change", update.change());
  page.Add("By law", BasisWords(update.basis()));
  page.Add("Entries",
           update.datasets().empty() ? "not named" : absl::StrJoin(update.datasets(), ", "));
  AddMatterSteps(page, update, zone, [&page](const v1::CatalogueUpdateStep& step) {
    for (const v1::DatasetAtRevision& at : step.revisions())
      page.Add("", absl::StrCat("  ", at.dataset(), ", revision ", at.revision()));
  });
  AddClocks(page, answer.clocks(), zone);
  if (!next.empty()) page.Add("next", next);
  return page.text();
}

std::string NextOfCorrection(const v1::GetCorrectionResponse& answer) {
  const std::string id = ShellQuoted(answer.correction().id());
  const auto verbs = CorrectionVerbs(answer.actions());
  if (std::find(verbs.begin(), verbs.end(), "answer") != verbs.end()) {
    return answer.correction().has_record_index()
               ? absl::StrCat("sluice audit show ", answer.correction().record_index(),
                              "      then: sluice correction answer ", id)
               : absl::StrCat("sluice correction answer ", id,
                              " --corrected HOW, or --confirmed WHY");
  }
  if (answer.correction().state() == v1::CORRECTION_STATE_RAISED)
    return absl::StrCat("sluice correction show ", id, "      what became of it");
  return "";
}

}  // namespace sluice::cli
