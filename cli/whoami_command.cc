// sluice whoami: whom the gateway takes the caller for.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

absl::Status WhoAmI(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const v1::WhoAmIResponse who, Ask(session, kWhoAmI, {}));
  const Micros expires = ToMicros(who.certificate_expires());
  const int64_t days = (expires - session.environment.clock.Now()) / kDay;
  FailureLines lines = {
      {"who", who.principal()},
      {"agency", absl::StrCat(who.agency(), "  ", TitleOf(who.agency_title(), session.chinese()))}};
  if (who.roles_size() > 0) lines.emplace_back("roles", RoleWords(who.roles()));
  lines.emplace_back("certificate", absl::StrCat(who.certificate_serial(), ", until ",
                                                 FormatTime(expires, session.environment.zone),
                                                 " (", days, days == 1 ? " day)" : " days)"));
  lines.emplace_back("gateway", absl::StrCat(who.gateway(), ", version ", who.version()));
  session.PrintOne(lines, who);
  return absl::OkStatus();
}

}  // namespace

void AddWhoAmICommand(CLI::App& app, Invocation& invocation) {
  app.add_subcommand("whoami", "whom the gateway takes you for")->callback([&invocation] {
    invocation.command = WhoAmI;
  });
}

}  // namespace sluice::cli
