// sluice source apply|list|probe|describe|check: connections to owners' systems.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/registry.h"
#include "cli/apply_file.h"
#include "cli/commands.h"
#include "cli/dataset_draft.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/progress.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/identity/source_yaml.h"
#include "gateway/records/row_batch.h"

namespace sluice::cli {
namespace {

struct SourceOptions {
  ApplyOptions apply;
  std::vector<std::string> sources;
  std::string source, table, file;
  std::vector<std::string> key;
  int64_t rows = 0;
};

// Kinds that this build knows are checked here; others are the gateway's to judge.
absl::Status CheckSettings(const v1::Source& source) {
  const adapters::Kind* kind = adapters::FindKind(source.kind());
  if (kind == nullptr) return absl::OkStatus();
  return kind->check({source.settings().begin(), source.settings().end()});
}

absl::Status ApplySource(Session& session, const SourceOptions& all) {
  const ApplyOptions& options = all.apply;
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadDefinition(session, options));
  const auto file = identity::ParseSourceYaml(text, options.file, CheckSettings);
  if (!file.ok()) return Listed(file.status());
  v1::ApplySourceRequest request;
  request.set_dry_run(options.dry_run);
  *request.mutable_source() = file->source;
  const auto response = Ask(session, kApplySource, request);
  if (!response.ok())
    return Placed(response.status(), file->document, options, "source",
                  identity::SourceYamlNames());
  PrintDifferences(session, options, absl::StrCat("source ", response->source().id()),
                   response->differences(), *response);
  return absl::OkStatus();
}

// "closed until 02:00", "open" (its breaker), "in order".
std::string StateOf(const Session& session, const v1::SourceStatus& status) {
  const Environment& environment = session.environment;
  if (status.has_closed_until())
    return absl::StrCat("closed until ",
                        FormatTime(ToMicros(status.closed_until()), environment.zone));
  if (status.breaker() == "closed") return status.has_last_answer() ? "answers" : "not yet asked";
  return status.breaker() == "open" ? "does not answer" : "is tried again";
}

// Below a table, what people should know of a source though it answers.
template <class Notes>
void PrintNotes(Session& session, const std::string& source, const Notes& notes) {
  if (session.format() != Format::kTable) return;
  for (const std::string& note : notes)
    session.environment.out << Harmless(absl::StrCat(source, ": ", note)) << "\n";
}

absl::Status ListSources(Session& session, const SourceOptions&) {
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListSources, {}));
  SLUICE_ASSIGN_OR_RETURN(const auto status, Ask(session, kGetStatus, {}));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Source& source : response.sources()) {
    const auto found =
        std::find_if(status.sources().begin(), status.sources().end(),
                     [&](const v1::SourceStatus& one) { return one.source() == source.id(); });
    const bool known = found != status.sources().end();
    rows.push_back({source.id(), source.owner_agency(), source.kind(),
                    absl::StrCat(source.limits().connections()),
                    absl::StrCat(source.limits().queue()), known ? StateOf(session, *found) : "",
                    known ? absl::StrCat(found->running(), " + ", found->waiting()) : "",
                    absl::StrJoin(source.closed(), ", ")});
  }
  session.PrintList({{session.Label("source")},
                     {session.Label("owner")},
                     {session.Label("kind")},
                     {"connections", true},
                     {"queue", true},
                     {session.Label("state")},
                     {"running + waiting", true},
                     {"closed"}},
                    rows, response.sources());
  for (const v1::SourceStatus& one : status.sources())
    PrintNotes(session, one.source(), one.notes());
  return absl::OkStatus();
}

// The source that the arguments name: one that stands, or a file that is tried.
absl::StatusOr<v1::SourceChoice> Choose(Session& session, const SourceOptions& options) {
  v1::SourceChoice choice;
  if (!options.file.empty() && !options.source.empty() && !options.table.empty())
    return UsageError("a source and --file are both named.", "one of the two");
  if (options.file.empty()) {
    if (options.source.empty())
      return UsageError("no source is named.", "its id, or --file with a definition to try");
    choice.set_id(options.source);
    return choice;
  }
  ApplyOptions apply;
  apply.file = options.file;
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadDefinition(session, apply));
  auto file = identity::ParseSourceYaml(text, options.file, CheckSettings);
  if (!file.ok()) return Listed(file.status());
  *choice.mutable_definition() = std::move(file->source);
  return choice;
}

// With --file, what stands alone is the table.
std::string TableOf(const SourceOptions& options) {
  return options.file.empty() || !options.table.empty() ? options.table : options.source;
}

std::string Took(int64_t micros) {
  return micros < kSecond ? absl::StrCat((micros + 999) / 1000, " ms")
                          : absl::StrCat(micros / kSecond, ".", micros % kSecond / 100'000, " s");
}

absl::Status Probe(Session& session, const SourceOptions& options) {
  std::vector<v1::SourceChoice> choices;
  if (!options.file.empty()) {
    SLUICE_ASSIGN_OR_RETURN(choices.emplace_back(), Choose(session, options));
  }
  for (const std::string& id : options.sources) choices.emplace_back().set_id(id);
  if (choices.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const auto all, Ask(session, kListSources, {}));
    for (const v1::Source& source : all.sources()) choices.emplace_back().set_id(source.id());
  }
  std::vector<std::vector<std::string>> rows;
  std::vector<v1::ProbeSourceResponse> answers;
  std::string silent;
  {
    ProgressBar progress(session.environment);
    for (size_t i = 0; i < choices.size(); ++i) {
      progress.Show(i, choices.size());
      v1::ProbeSourceRequest request;
      *request.mutable_source() = choices[i];
      SLUICE_ASSIGN_OR_RETURN(v1::ProbeSourceResponse answer, Ask(session, kProbeSource, request));
      rows.push_back(
          {answer.source(), answer.kind(), answer.reachable() ? "yes" : "NO",
           Took(answer.took_us()), answer.reason(),
           absl::StrCat(answer.failure(), answer.note().empty() ? "" : " ", answer.note())});
      if (!answer.reachable() && silent.empty()) silent = answer.source();
      answers.push_back(std::move(answer));
    }
  }
  session.PrintList({{session.Label("source")},
                     {session.Label("kind")},
                     {"answers"},
                     {"took", true},
                     {session.Label("reason")},
                     {"found"}},
                    rows, answers);
  for (const v1::ProbeSourceResponse& answer : answers)
    PrintNotes(session, answer.source(), answer.notes());
  if (silent.empty()) return absl::OkStatus();
  return LocalError("SOURCE_UNAVAILABLE", absl::StrCat("source ", silent, " cannot be read."), {},
                    "mend what is named above; the gateway tries again by itself", kFailed);
}

std::string KeyWords(const v1::TableDescription& table) {
  if (table.unique_keys().empty()) return "none";
  return absl::StrJoin(table.unique_keys(0).columns(), ", ");
}

std::string AsOf(const Session& session, const v1::TableDescription& table) {
  if (!table.version().has_as_of()) return "not told";
  return FormatTime(ToMicros(table.version().as_of()), session.environment.zone);
}

absl::Status ListTables(Session& session, const v1::DescribeSourceResponse& described) {
  std::vector<std::vector<std::string>> rows;
  std::string version;
  std::set<std::string> notes;  // the parts of a file share theirs
  for (const v1::TableDescription& table : described.tables()) {
    rows.push_back({table.table(), absl::StrCat(table.columns_size()), KeyWords(table),
                    table.has_rows() ? absl::StrCat(table.rows()) : "not known",
                    table.snapshot() ? "yes" : "no", AsOf(session, table)});
    if (version.empty()) version = table.version().version();
    if (!table.note().empty()) notes.insert(table.note());
  }
  session.PrintList(
      {{"table"}, {"columns", true}, {"key"}, {"rows", true}, {"snapshot"}, {"changed"}}, rows,
      described.tables());
  PrintNotes(session, described.source(), notes);
  if (session.format() == Format::kTable)
    session.environment.out << Harmless(absl::StrCat(described.kind(),
                                                     version.empty() ? "" : ", version " + version,
                                                     ".  A draft dataset: sluice source describe ",
                                                     described.source(), " TABLE"))
                            << "\n";
  return absl::OkStatus();
}

absl::Status Describe(Session& session, const SourceOptions& options) {
  v1::DescribeSourceRequest request;
  SLUICE_ASSIGN_OR_RETURN(*request.mutable_source(), Choose(session, options));
  const std::string asked = TableOf(options);
  request.set_table(asked);
  SLUICE_ASSIGN_OR_RETURN(const auto described, Ask(session, kDescribeSource, request));
  if (asked.empty()) return ListTables(session, described);
  if (described.tables_size() != 1)
    return UsageError(absl::StrCat("\"", asked, "\" is no one table."),
                      "sluice source describe lists them");
  if (session.format_named().empty()) {
    session.environment.out << DraftDataset(described, described.tables(0));
    return absl::OkStatus();
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::ColumnDescription& column : described.tables(0).columns()) {
    const auto type = records::FromProto(column.type());
    rows.push_back({column.name(), type.ok() ? records::ToString(*type) : "cannot be lent",
                    column.not_null() ? "no" : "yes", column.source_type()});
  }
  session.PrintList({{"column"}, {"type"}, {"nulls"}, {"in the source"}}, rows,
                    described.tables(0).columns());
  return absl::OkStatus();
}

std::string OutcomeWord(v1::FindingOutcome outcome) {
  switch (outcome) {
    case v1::FINDING_OUTCOME_HOLDS:
      return "holds";
    case v1::FINDING_OUTCOME_FAILS:
      return "FAILS";
    default:
      return "not tried";
  }
}

absl::Status Check(Session& session, const SourceOptions& options) {
  v1::CheckSourceRequest request;
  SLUICE_ASSIGN_OR_RETURN(*request.mutable_source(), Choose(session, options));
  request.set_rows(options.rows);
  for (const std::string& column : options.key) request.add_key(column);
  std::vector<std::string> tables;
  if (const std::string asked = TableOf(options); !asked.empty()) {
    tables.push_back(asked);
  } else {
    v1::DescribeSourceRequest describe;
    *describe.mutable_source() = request.source();
    SLUICE_ASSIGN_OR_RETURN(const auto described, Ask(session, kDescribeSource, describe));
    for (const v1::TableDescription& table : described.tables()) tables.push_back(table.table());
  }
  std::vector<std::vector<std::string>> rows;
  std::vector<v1::CheckSourceResponse> answers;
  int failed = 0;
  {
    ProgressBar progress(session.environment);
    for (size_t i = 0; i < tables.size(); ++i) {
      progress.Show(i, tables.size());
      request.set_table(tables[i]);
      SLUICE_ASSIGN_OR_RETURN(v1::CheckSourceResponse answer, Ask(session, kCheckSource, request));
      for (const v1::SourceFinding& finding : answer.findings()) {
        rows.push_back(
            {tables[i], finding.check(), OutcomeWord(finding.outcome()), finding.words()});
        if (finding.outcome() == v1::FINDING_OUTCOME_FAILS) ++failed;
      }
      answers.push_back(std::move(answer));
    }
  }
  session.PrintList({{"table"}, {"check"}, {session.Label("outcome")}, {"found"}}, rows, answers);
  if (failed == 0) return absl::OkStatus();
  return LocalError("CHECK_FAILED", absl::StrCat(failed, " of ", rows.size(), " checks fail."), {},
                    "docs/operator.md says what each of them means", kFailed);
}

}  // namespace

void AddSourceCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("source", "connections to owners' systems");
  group->require_subcommand(1);
  const auto options = std::make_shared<SourceOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const SourceOptions&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& s) { return run(s, *options); };
    });
    return command;
  };
  const auto add_file = [&](CLI::App* command) {
    command->add_option("--file", options->file, "a definition to try, without applying it")
        ->type_name("FILE");
  };
  CLI::App* apply = add("apply", "make it as the file says", ApplySource);
  AddApplyOptions(apply, std::shared_ptr<ApplyOptions>(options, &options->apply));
  add("list", "all, and how they are doing", ListSources);
  CLI::App* probe = add("probe", "whether they answer; exit 1 where one does not", Probe);
  probe->add_option("source", options->sources, "all where none is named")->type_name("SOURCE");
  add_file(probe);
  CLI::App* describe =
      add("describe", "its tables; of one table, a draft dataset as YAML", Describe);
  describe->add_option("source", options->source, "its id")->type_name("SOURCE");
  describe->add_option("table", options->table, "a table, view or query of it")->type_name("TABLE");
  add_file(describe);
  CLI::App* check = add(
      "check", "whether it does what datasets stand on, by reading alone; exit 1 where not", Check);
  check->add_option("source", options->source, "its id")->type_name("SOURCE");
  check->add_option("table", options->table, "all where none is named")->type_name("TABLE");
  check->add_option("--key", options->key, "columns that order the rows")
      ->delimiter(',')
      ->type_name("COLUMN,…");
  check->add_option("--rows", options->rows, "how many to read of each table (2,000)")
      ->type_name("ROWS");
  add_file(check);
}

}  // namespace sluice::cli
