// sluice audit list|show: reading the log through the gateway, which records each reading.
#include <set>

#include "absl/strings/str_cat.h"
#include "cli/audit_proofs.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/record_words.h"
#include "cli/times.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr int64_t kMostPage = 1000;

struct ListOptions {
  std::string since, until, agency, dataset, grant, kind;
  int64_t limit = 100;
};

absl::StatusOr<v1::ListRecordsRequest> MakeRequest(const Environment& environment,
                                                   const ListOptions& options) {
  v1::ListRecordsRequest request;
  const Micros now = environment.clock.Now();
  if (!options.since.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const Micros since, ParseWhen(options.since, now, environment.zone));
    *request.mutable_since() = ToTimestamp(since);
  }
  if (!options.until.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const Micros until, ParseWhen(options.until, now, environment.zone));
    *request.mutable_until() = ToTimestamp(until);
  }
  if (request.has_since() && request.has_until() &&
      ToMicros(request.until()) <= ToMicros(request.since()))
    return UsageError("--until is not later than --since.",
                      "--since 2026-11-01 --until 2026-11-30");
  request.set_agency(options.agency);
  request.set_dataset(options.dataset);
  request.set_grant(options.grant);
  if (!options.kind.empty()) {
    request.set_kind(KindFromWord(options.kind));
    if (request.kind() == v1::RECORD_KIND_UNSPECIFIED)
      return UsageError(
          absl::StrCat("\"", options.kind, "\" is no kind of record."),
          "released, denied, denials, failed, opened, progress, closed, abandoned, changed, read, "
          "checked, previewed, started or stopped");
  }
  if (options.limit < 0)
    return UsageError("--limit is a number of records; 0 means all.", "--limit 100");
  return request;
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
  return line;
}

absl::Status List(Session& session, const ListOptions& options) {
  const Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(v1::ListRecordsRequest request, MakeRequest(environment, options));
  std::vector<v1::Record> records;
  v1::ListRecordsResponse response;
  // The same size for all pages, so that none brings more than was asked for at its end.
  const int64_t size = options.limit == 0 ? kMostPage : std::min<int64_t>(options.limit, kMostPage);
  request.set_page_size(static_cast<int32_t>(size));
  do {
    SLUICE_ASSIGN_OR_RETURN(response, Ask(session, kListRecords, request));
    records.insert(records.end(), response.records().begin(), response.records().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() &&
           (options.limit == 0 || static_cast<int64_t>(records.size()) < options.limit));

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
  }
  const std::string offset = FormatOffset(environment.clock.Now(), environment.zone);
  session.PrintList({{"#", true},
                     {absl::StrCat(session.Label("time"), " ", offset)},
                     {"consumer"},
                     {"dataset"},
                     {"purpose"},
                     {"outcome"},
                     {"rows", true}},
                    rows, records);
  environment.out.flush();
  const bool table = session.format() == Format::kTable;
  environment.err << Summary(response, records.size(), table ? rows.size() : records.size());
  return absl::OkStatus();
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
  auto options = std::make_shared<ListOptions>();
  CLI::App* list = audit->add_subcommand("list", "records, newest first; recorded itself");
  list->add_option("--since", options->since, "today, 2026-11-23, 2h, or a whole time");
  list->add_option("--until", options->until, "not included");
  list->add_option("--agency", options->agency, "of the consumer, or of who acted");
  list->add_option("--dataset", options->dataset, "AGENCY/DATASET");
  list->add_option("--grant", options->grant, "such as 7q4m2k");
  list->add_option(
      "--kind", options->kind,
      "released, denied, denials, failed, opened, progress, closed, abandoned, changed, "
      "read, checked, previewed, started, stopped; without it, all but progress");
  list->add_option("--limit", options->limit, "records at most (100); 0: all");
  list->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return List(session, *options); };
  });
  auto index = std::make_shared<int64_t>(0);
  CLI::App* show = audit->add_subcommand("show", "one record with its detail; recorded itself");
  show->add_option("index", *index, "its number")->required()->check(CLI::NonNegativeNumber);
  show->callback([&invocation, index] {
    invocation.command = [index](Session& session) { return Show(session, *index); };
  });
  AddAuditProofCommands(*audit, invocation);
}

}  // namespace sluice::cli
