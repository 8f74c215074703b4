#include "cli/status_command.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/times.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

absl::Status NotReady(const v1::GetStatusResponse& status) {
  return LocalError("NOT_READY", absl::StrCat(status.gateway(), " does not serve calls."),
                    {{"because", absl::StrJoin(status.problems(), "\n")}},
                    "mend what is named; sluice status says when it serves again", kFailed);
}

}  // namespace

absl::Status ShowStatus(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const auto status, Ask(session, kGetStatus, {}));
  const Environment& environment = session.environment;
  const auto time = [&](const google::protobuf::Timestamp& stamp) {
    return stamp.seconds() == 0 ? std::string("never")
                                : FormatTime(ToMicros(stamp), environment.zone);
  };
  FailureLines lines = {
      {"gateway", absl::StrCat(status.gateway(), ", version ", status.version(), ", up since ",
                               time(status.started()))},
      {"ready", status.ready() ? "yes" : "NO"},
      {"log", absl::StrCat(status.log_origin(), ", ", Grouped(status.log_records()), " records, ",
                           Grouped(status.head_records()), " under a signed head")},
      {"index", status.index_records() >= status.log_records()
                    ? std::string("has all of them")
                    : absl::StrCat(Grouped(status.log_records() - status.index_records()),
                                   " records behind")},
      {"calls", absl::StrCat(status.running_exchanges(), " running")},
      {"certificate", absl::StrCat("until ", time(status.certificate_expires()))}};
  if (status.witnesses_size() > 0)
    lines.emplace_back("cosigned", status.has_cosigned()
                                       ? absl::StrCat(Grouped(status.cosigned_records()),
                                                      " records, ", time(status.cosigned()))
                                       : std::string("never by enough witnesses"));
  for (const v1::WitnessStatus& one : status.witnesses()) {
    const std::string last = one.records() == 0
                                 ? std::string("cosigned nothing so far")
                                 : absl::StrCat("cosigned ", Grouped(one.records()), " records");
    lines.emplace_back("witness",
                       absl::StrCat(one.witness(), ", ", last,
                                    one.failure().empty() ? "" : "; now: ", one.failure()));
  }
  for (const std::string& problem : status.problems()) lines.emplace_back("problem", problem);
  for (const v1::Alarm& alarm : status.alarms())
    lines.emplace_back(
        "alarm", absl::StrCat(alarm.alarm(), " since ", time(alarm.since()), ": ", alarm.detail()));
  session.PrintOne(lines, status);
  if (session.format() == Format::kTable && status.sources_size() > 0) {
    std::vector<std::vector<std::string>> rows;
    for (const v1::SourceStatus& source : status.sources())
      rows.push_back({source.source(), source.kind(), source.breaker(),
                      absl::StrCat(source.running()), absl::StrCat(source.waiting()),
                      source.last_failure()});
    environment.out << FormatTable({{session.Label("source")},
                                    {session.Label("kind")},
                                    {"breaker"},
                                    {"running", true},
                                    {"waiting", true},
                                    {"last failure"}},
                                   rows);
  }
  return status.ready() ? absl::OkStatus() : NotReady(status);
}

absl::Status ShowAlarms(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const auto status, Ask(session, kGetStatus, {}));
  const Environment& environment = session.environment;
  if (status.alarms().empty() && session.format() == Format::kTable) {
    environment.out << "no alarm\n";
    return absl::OkStatus();
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Alarm& alarm : status.alarms())
    rows.push_back({alarm.alarm(), FormatTime(ToMicros(alarm.since()), environment.zone),
                    alarm.detail(), alarm.effect(), alarm.next()});
  session.PrintList({{"alarm"}, {"since"}, {"found"}, {"effect"}, {"next"}}, rows, status.alarms());
  if (status.alarms().empty()) return absl::OkStatus();
  return LocalError("ALARMS",
                    absl::StrCat(status.gateway(), " raises ", status.alarms_size(),
                                 status.alarms_size() == 1 ? " alarm." : " alarms."),
                    {}, "what each takes is in docs/operator.md, \"Alarms\"", kFailed);
}

absl::Status ReloadConfiguration(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kReload, {}));
  FailureLines lines;
  for (const std::string& change : response.changes()) lines.emplace_back("changed", change);
  session.PrintOne(lines, response);
  return absl::OkStatus();
}

void AddStatusCommands(CLI::App& app, Invocation& invocation) {
  app.add_subcommand("status", "how the gateway is doing; exit 1 where it does not serve")
      ->callback([&invocation] { invocation.command = ShowStatus; });
  app.add_subcommand("reload", "have the gateway read its configuration again")
      ->callback([&invocation] { invocation.command = ReloadConfiguration; });
}

}  // namespace sluice::cli
