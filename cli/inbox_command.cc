// sluice inbox: what waits for you, since when, until when.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/catalogue_words.h"
#include "cli/clock_words.h"
#include "cli/commands.h"
#include "cli/matter_show.h"
#include "cli/methods.h"
#include "cli/sharing_words.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

std::string EntryVerb(int action) { return LowerEnumWord(v1::EntryAction_descriptor(), action); }

// What the table shows of a thing that waits, whatever it is.
struct InboxCells {
  std::string id, state, consumer, dataset;
  std::vector<std::string> verbs;
};

InboxCells CellsOf(const v1::InboxItem& item) {
  if (item.has_correction()) {
    const v1::Correction& one = item.correction();
    return {one.id(), sharing::CorrectionLife().StateWord(one.state()), one.consumer_agency(),
            one.dataset(), CorrectionVerbs(item.correction_actions())};
  }
  if (item.has_catalogue_update()) {
    const v1::CatalogueUpdate& one = item.catalogue_update();
    return {one.id(), sharing::CatalogueUpdateLife().StateWord(one.state()), "",
            one.datasets().empty() ? one.agency() : absl::StrJoin(one.datasets(), ", "),
            UpdateVerbs(item.catalogue_update_actions())};
  }
  if (item.has_entry()) {
    InboxCells cells{"catalogue entry",
                     item.entry().returned() ? "returned" : "awaited",
                     "",
                     item.entry().dataset(),
                     {}};
    for (const int action : item.entry().actions()) cells.verbs.push_back(EntryVerb(action));
    return cells;
  }
  const v1::AccessRequest& request = item.request();
  InboxCells cells{request.id(),
                   RequestState(request.state()),
                   request.consumer_agency(),
                   request.dataset(),
                   {}};
  for (const int action : item.actions())
    cells.verbs.push_back(StepVerb(static_cast<v1::AccessAction>(action)));
  return cells;
}

absl::Status ShowInbox(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kGetInbox, {}));
  const absl::TimeZone& zone = session.environment.zone;
  std::vector<std::vector<std::string>> rows;
  for (const v1::InboxItem& item : response.items()) {
    InboxCells cells = CellsOf(item);
    rows.push_back({cells.id, FormatTime(ToMicros(item.since()), zone), OfficeWords(item.office()),
                    cells.state, cells.consumer, cells.dataset,
                    item.has_clock() ? ClockWords(item.clock(), zone) : "no law sets a day",
                    absl::StrJoin(cells.verbs, ", ")});
  }
  session.PrintList({{"what"},
                     {"waits since"},
                     {"waits for"},
                     {"state"},
                     {"consumer"},
                     {"dataset"},
                     {"until"},
                     {"steps"}},
                    rows, response.items());
  if (response.more())
    session.environment.err << "there are others behind these; take some of these first\n";
  return absl::OkStatus();
}

}  // namespace

void AddInboxCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand(
      "inbox", "what waits for you, oldest first, and until when the law gives you time");
  command->callback([&invocation] { invocation.command = ShowInbox; });
}

}  // namespace sluice::cli
