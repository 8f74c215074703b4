// sluice ops status|alarms|reload|streams|cancel|drain|backup: what the operator does to a gateway
// that runs.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/methods.h"
#include "cli/status_command.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct OpsOptions {
  std::string call, reason;
  bool all = false;
};

std::string Waiting(const v1::RunningExchange& exchange, Micros now) {
  if (!exchange.has_waits_since()) return "";
  const Micros waited = std::max<Micros>(now - ToMicros(exchange.waits_since()), 0);
  return absl::StrCat(waited / kSecond, " s");
}

absl::Status Streams(Session& session, const OpsOptions& options) {
  v1::ListExchangesRequest request;
  request.set_streams_only(!options.all);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListExchanges, request));
  const Environment& environment = session.environment;
  const Micros now = environment.clock.Now();
  std::vector<std::vector<std::string>> rows;
  for (const v1::RunningExchange& one : response.exchanges()) {
    rows.push_back({one.call_id(), one.method(), PrincipalWords(one.principal()), one.dataset(),
                    one.grant(), FormatShort(ToMicros(one.started()), environment.zone),
                    one.stream() ? Grouped(one.rows()) : "–",
                    one.stream() ? Grouped(one.payload_bytes()) : "–", Waiting(one, now)});
    if (!options.all) rows.back().erase(rows.back().begin() + 1);
  }
  const std::string since =
      absl::StrCat(session.Label("since"), " ", FormatOffset(now, environment.zone));
  std::vector<TableColumn> columns = {{"call"},       {"method"},      {"who"},
                                      {"dataset"},    {"grant"},       {since},
                                      {"rows", true}, {"bytes", true}, {"waiting", true}};
  if (!options.all) columns.erase(columns.begin() + 1);
  session.PrintList(columns, rows, response.exchanges());
  return absl::OkStatus();
}

absl::Status Cancel(Session& session, const OpsOptions& options) {
  v1::CancelExchangeRequest request;
  request.set_call_id(options.call);
  request.set_reason(options.reason);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kCancelExchange, request));
  const v1::RunningExchange& exchange = response.exchange();
  session.PrintOne(
      {{"call", exchange.call_id() + ", ended: nothing more of it is released"},
       {"who", PrincipalWords(exchange.principal())},
       {"dataset", exchange.dataset()},
       {"let go", exchange.stream() ? absl::StrCat(Grouped(exchange.rows()), " rows, ",
                                                   Grouped(exchange.payload_bytes()), " bytes")
                                    : "nothing"}},
      response);
  return absl::OkStatus();
}

absl::Status Drain(Session& session, const OpsOptions& options) {
  v1::DrainRequest request;
  request.set_reason(options.reason);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kDrain, request));
  session.PrintOne({{"gateway", "takes no new calls, and stops"},
                    {"calls", absl::StrCat(response.running(), " running, ended within ",
                                           response.limit_seconds(), " s")}},
                   response);
  return absl::OkStatus();
}

absl::Status Backup(Session& session, const OpsOptions&) {
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kBackup, {}));
  session.PrintOne({{"folder", response.folder() + " on the gateway's machine: copy it away"},
                    {"log", absl::StrCat("restore beside a log of ",
                                         Grouped(response.log_records()), " records or more")},
                    {"not in it", "the log and the keys: back them up by themselves"}},
                   response);
  if (session.format() != Format::kTable) return absl::OkStatus();
  std::vector<std::vector<std::string>> rows;
  for (const v1::BackedUpFile& file : response.files())
    rows.push_back({file.name(), Grouped(file.bytes()), HexEncode(file.sha256())});
  session.environment.out << FormatTable({{"file"}, {"bytes", true}, {"sha256"}}, rows);
  return absl::OkStatus();
}

}  // namespace

void AddOpsCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("ops", "a gateway that runs, for its operator");
  group->require_subcommand(1);
  group->add_subcommand("status", "how it is doing; exit 1 where it does not serve")
      ->callback([&invocation] { invocation.command = ShowStatus; });
  group->add_subcommand("alarms", "what it finds wrong with itself; exit 1 where anything is")
      ->callback([&invocation] { invocation.command = ShowAlarms; });
  group->add_subcommand("reload", "have it read its configuration again")->callback([&invocation] {
    invocation.command = ReloadConfiguration;
  });
  const auto options = std::make_shared<OpsOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const OpsOptions&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& s) { return run(s, *options); };
    });
    return command;
  };
  add("streams", "streams that run now, oldest first", Streams)
      ->add_flag("--all", options->all, "every exchange that runs");
  CLI::App* cancel = add("cancel", "end a running exchange", Cancel);
  cancel->add_option("call", options->call, "its id, of ops streams or the log")->required();
  cancel->add_option("--reason", options->reason, "recorded, and told to the consumer")->required();
  add("drain", "answer, let running calls end, and stop", Drain)
      ->add_option("--reason", options->reason, "recorded")
      ->required();
  add("backup", "copy the control store, as of now, beside itself", Backup);
}

}  // namespace sluice::cli
