// sluice audit search|list|show: reading the log through the gateway, which records each reading.
#include <set>

#include "absl/strings/str_cat.h"
#include "cli/audit_export.h"
#include "cli/audit_held.h"
#include "cli/audit_proofs.h"
#include "cli/audit_reconcile.h"
#include "cli/audit_report.h"
#include "cli/audit_seal.h"
#include "cli/audit_subject_key.h"
#include "cli/audit_tail.h"
#include "cli/audit_verify.h"
#include "cli/commands.h"
#include "cli/display.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/record_filter.h"
#include "cli/record_words.h"
#include "cli/times.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr int64_t kMostPage = 1000;

struct ListOptions {
  FilterOptions filter;
  int64_t limit = 100;
  std::string page_token, copy;
};

std::string MatchWord(v1::SubjectMatch match) {
  switch (match) {
    case v1::SUBJECT_MATCH_RELEASED:
      return "let go";
    case v1::SUBJECT_MATCH_ASKED:
      return "asked";
    case v1::SUBJECT_MATCH_POSSIBLY:
      return "possibly";
    default:
      return "";
  }
}

bool HasEnded(const v1::Record& record) {
  return record.latest().kind() == v1::RECORD_KIND_CLOSED ||
         record.latest().kind() == v1::RECORD_KIND_ABANDONED;
}

// "UNFINISHED since 15:41" where a stream has no end yet: it runs, or it was cut by a crash that no
// start has followed.
std::string StreamOutcome(const v1::Record& record, const absl::TimeZone& zone) {
  if (record.envelope().kind() != v1::RECORD_KIND_OPENED) return OutcomeWords(record.envelope());
  if (HasEnded(record)) return absl::StrCat("stream opened, ended by #", record.latest_index());
  const v1::AuditEnvelope& last = record.has_latest_index() ? record.latest() : record.envelope();
  return absl::StrCat("UNFINISHED since ", FormatShort(ToMicros(last.time()), zone).substr(6, 5));
}

std::string StreamCount(const v1::Record& record) {
  const bool unfinished = record.envelope().kind() == v1::RECORD_KIND_OPENED && !HasEnded(record);
  return unfinished ? absl::StrCat("≤", record.latest().count()) : CountWords(record.envelope());
}

// "16 records", or "21 records in 16 lines" where some stand in one line.
std::string Summary(const v1::ListRecordsResponse& last, size_t count, size_t lines) {
  std::string line = absl::StrCat(count, count == 1 ? " record" : " records");
  if (lines < count) absl::StrAppend(&line, " in ", lines, lines == 1 ? " line" : " lines");
  if (last.searched_to() > 0) absl::StrAppend(&line, " · searched #0 to #", last.searched_to() - 1);
  absl::StrAppend(&line,
                  last.next_page_token().empty() ? ", complete" : ", more match: --limit 0 for all",
                  " · this reading is #", last.read_index(), "\n");
  if (const int64_t behind = last.log_records() - last.searched_to(); behind > 0)
    absl::StrAppend(&line, "the search index is ", Grouped(behind),
                    " records behind the log: newer ones were not searched\n");
  if (last.erased() > 0)
    absl::StrAppend(&line, Grouped(last.erased()),
                    " records of these months have no details any more: their keys were dropped\n");
  if (!last.next_page_token().empty())
    absl::StrAppend(&line, "next page  --page-token ", last.next_page_token(), "\n");
  return line;
}

absl::Status List(Session& session, const ListOptions& options) {
  const Environment& environment = session.environment;
  if (options.limit < 0)
    return UsageError("--limit is a number of records; 0 means all.", "--limit 100");
  v1::ListRecordsRequest request;
  SLUICE_ASSIGN_OR_RETURN(*request.mutable_filter(), MakeFilter(environment, options.filter));
  const bool hold = !options.copy.empty();
  request.set_with_search_tokens(hold && NeedsSearchTokens(request.filter()));
  if (hold && !options.page_token.empty())
    return UsageError("--copy holds a whole answer against a copy, not a page.", "--copy DIR");
  request.set_page_token(options.page_token);
  std::vector<v1::Record> records;
  v1::ListRecordsResponse response;
  // The same size for all pages, so that none brings more than was asked for at its end.
  const int64_t limit = hold ? 0 : options.limit;
  const int64_t size = limit == 0 ? kMostPage : std::min<int64_t>(limit, kMostPage);
  request.set_page_size(static_cast<int32_t>(size));
  const bool json = session.format() == Format::kJson;
  size_t count = 0;
  do {
    SLUICE_ASSIGN_OR_RETURN(response, Ask(session, kListRecords, request));
    count += static_cast<size_t>(response.records_size());
    if (json) {  // page by page, however many there are
      for (const v1::Record& record : response.records())
        environment.out << ToJsonLine(record) << '\n';
    }
    if (!json || hold) {
      records.insert(records.end(), response.records().begin(), response.records().end());
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && (limit == 0 || static_cast<int64_t>(count) < limit));
  const auto held = [&] {
    if (!hold) return absl::OkStatus();
    return HoldAgainstCopy(session, options.copy, request.filter(),
                           {records,
                            response.searched_to(),
                            {response.search_tokens().begin(), response.search_tokens().end()}});
  };
  if (json) {
    environment.out.flush();
    environment.err << Summary(response, count, count);
    return held();
  }

  std::set<int64_t> listed;
  for (const v1::Record& record : records) listed.insert(record.index());
  std::vector<std::vector<std::string>> rows;
  for (const v1::Record& record : records) {
    // The record of a stream's end stands for the whole stream.
    if (record.has_latest_index() && HasEnded(record) && listed.contains(record.latest_index()))
      continue;
    const v1::AuditEnvelope& envelope = record.envelope();
    rows.push_back({absl::StrCat(record.index()),
                    FormatShort(ToMicros(envelope.time()), environment.zone),
                    ActorWords(envelope.actor()), envelope.dataset(), envelope.purpose(),
                    StreamOutcome(record, environment.zone), StreamCount(record)});
    if (!options.filter.subject.empty()) rows.back().push_back(MatchWord(record.subject_match()));
  }
  const std::string offset = FormatOffset(environment.clock.Now(), environment.zone);
  std::vector<TableColumn> columns = {
      {"#", true},   {absl::StrCat(session.Label("time"), " ", offset)},
      {"consumer"},  {"dataset"},
      {"purpose"},   {"outcome"},
      {"rows", true}};
  if (!options.filter.subject.empty()) columns.push_back({"the subject"});
  session.PrintList(columns, rows, records);
  environment.out.flush();
  const bool table = session.format() == Format::kTable;
  environment.err << Summary(response, records.size(), table ? rows.size() : records.size());
  return held();
}

// What the sealed part says, where it may be read: as JSON would, but a line each.
void AddDetail(const v1::AuditDetail& detail, FailureLines& lines) {
  const nlohmann::ordered_json json = ToJson(detail);
  for (const auto& [key, value] : json.items())
    lines.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
}

absl::Status Show(Session& session, int64_t index) {
  v1::GetRecordRequest request;
  request.set_index(index);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kGetRecord, request));
  FailureLines lines = {{"index", absl::StrCat("#", response.record().index())}};
  const FailureLines envelope = EnvelopeLines(response.record().envelope());
  lines.insert(lines.end(), envelope.begin(), envelope.end());
  if (response.record().has_detail())
    AddDetail(response.record().detail(), lines);
  else
    lines.emplace_back("detail", "erased, or not for you");
  session.PrintOne(lines, response.record());
  session.environment.err << "this reading is #" << response.read_index() << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddAuditCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* audit = app.add_subcommand("audit", "who saw what, why and by which law");
  audit->require_subcommand(1);
  for (const char* name : {"search", "list"}) {
    auto options = std::make_shared<ListOptions>();
    CLI::App* list = audit->add_subcommand(
        name, std::string(name) == "search" ? "records that meet all conditions, newest first; "
                                              "recorded itself"
                                            : "the same");
    AddFilterOptions(*list, options->filter);
    list->add_option("--limit", options->limit, "records at most (100); 0: all");
    list->add_option("--page-token", options->page_token, "go on where a search like this ended");
    list->add_option("--copy", options->copy,
                     "hold the whole answer against this copy of the log (audit pull)")
        ->type_name("DIR");
    list->callback([&invocation, options] {
      invocation.command = [options](Session& session) { return List(session, *options); };
    });
  }
  auto index = std::make_shared<int64_t>(0);
  CLI::App* show = audit->add_subcommand("show", "one record with its detail; recorded itself");
  show->add_option("index", *index, "its number")->required()->check(CLI::NonNegativeNumber);
  show->callback([&invocation, index] {
    invocation.command = [index](Session& session) { return Show(session, *index); };
  });
  AddAuditTailCommands(*audit, invocation);
  AddAuditReportCommand(*audit, invocation);
  AddAuditExportCommand(*audit, invocation);
  AddAuditPullCommand(*audit, invocation);
  AddAuditReconcileCommand(*audit, invocation);
  AddAuditVerifyCommand(*audit, invocation);
  AddAuditProofCommands(*audit, invocation);
  AddAuditSealCommands(*audit, invocation);
  AddOpenSubjectKeyCommand(*audit, invocation);
}

}  // namespace sluice::cli
