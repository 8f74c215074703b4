// sluice inbox: what waits for you, since when, until when.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/clock_words.h"
#include "cli/commands.h"
#include "cli/methods.h"
#include "cli/sharing_words.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

std::string ActionVerbs(const v1::InboxItem& item) {
  std::vector<std::string> verbs;
  for (const int action : item.actions())
    verbs.push_back(StepVerb(static_cast<v1::AccessAction>(action)));
  return absl::StrJoin(verbs, ", ");
}

absl::Status ShowInbox(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kGetInbox, {}));
  const absl::TimeZone& zone = session.environment.zone;
  std::vector<std::vector<std::string>> rows;
  for (const v1::InboxItem& item : response.items())
    rows.push_back({item.request().id(), FormatTime(ToMicros(item.since()), zone),
                    OfficeWords(item.office()), RequestState(item.request().state()),
                    item.request().consumer_agency(), item.request().dataset(),
                    item.has_clock() ? ClockWords(item.clock(), zone) : "no law sets a day",
                    ActionVerbs(item)});
  session.PrintList({{"request"},
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
      "inbox", "requests that wait for you, oldest first, and until when the law gives you time");
  command->callback([&invocation] { invocation.command = ShowInbox; });
}

}  // namespace sluice::cli
