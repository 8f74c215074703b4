// sluice audit report: what a stretch of the log comes to, and what is worth a look.
#include "cli/audit_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/progress.h"
#include "cli/report_data.h"
#include "cli/report_page.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/audit/signed_note.h"

namespace sluice::cli {
namespace {

struct ReportOptions {
  std::string month, since, until, html;
};

// The first moment of a day.
Micros MidnightOf(absl::CivilDay day, const absl::TimeZone& zone) {
  return absl::ToUnixMicros(absl::FromCivil(day, zone));
}
absl::CivilDay DayIn(Micros time, const absl::TimeZone& zone) {
  return absl::CivilDay(absl::ToCivilSecond(absl::FromUnixMicros(time), zone));
}

// Days, `end` not included: those named, or the month that now is, up to and with today.
absl::Status DaysOf(const ReportOptions& options, Micros now, const absl::TimeZone& zone,
                    absl::CivilDay* begin, absl::CivilDay* end) {
  const absl::CivilDay today = DayIn(now, zone);
  if (!options.month.empty()) {
    if (!options.since.empty() || !options.until.empty())
      return UsageError("--month says which days; --since and --until say it too.",
                        "--month 2026-11");
    absl::CivilMonth month;
    if (!absl::ParseCivilTime(options.month, &month))
      return UsageError("--month is a year and a month.", "--month 2026-11");
    *begin = absl::CivilDay(month);
    *end = absl::CivilDay(month + 1);
    return absl::OkStatus();
  }
  *begin = absl::CivilDay(absl::CivilMonth(today));
  *end = today + 1;
  if (!options.since.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const Micros since, ParseWhen(options.since, now, zone));
    *begin = DayIn(since, zone);
  }
  if (!options.until.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const Micros until, ParseWhen(options.until, now, zone));
    *end = DayIn(until, zone);
  }
  if (*end <= *begin)
    return UsageError("--until, whose day is not included, is not later than --since.",
                      "--since 2026-11-01 --until 2026-12-01");
  return absl::OkStatus();
}

absl::StatusOr<ReportData> Fetch(Session& session, const ReportOptions& options) {
  Environment& environment = session.environment;
  const absl::TimeZone& zone = environment.zone;
  const Micros now = environment.clock.Now();
  absl::CivilDay begin, end;
  SLUICE_RETURN_IF_ERROR(DaysOf(options, now, zone, &begin, &end));
  v1::ReportRequest request;
  const Micros since = MidnightOf(begin, zone);
  *request.mutable_since() = ToTimestamp(since);
  *request.mutable_until() = ToTimestamp(MidnightOf(end, zone));
  request.set_utc_offset_minutes(zone.At(absl::FromUnixMicros(since)).offset / 60);
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  SLUICE_ASSIGN_OR_RETURN(Gateway* const gateway, session.GetGateway());
  SLUICE_ASSIGN_OR_RETURN(const Micros deadline, session.StreamDeadline());
  ReportData report;
  report.from = absl::FormatCivilTime(begin);
  report.to = absl::FormatCivilTime(end - 1);
  report.offset = FormatOffset(since, zone);
  report.origin = profile->log_key.name;
  report.made = FormatTime(now, zone);
  ProgressBar bar(environment);
  bool whole = false;
  SLUICE_RETURN_IF_ERROR(
      CallStream(*gateway, kReport, request, deadline, [&](v1::ReportResponse& message) {
        if (message.all() > 0)
          bar.Show(static_cast<uint64_t>(message.done()), static_cast<uint64_t>(message.all()));
        report.uses.insert(report.uses.end(), message.uses().begin(), message.uses().end());
        report.denials.insert(report.denials.end(), message.denials().begin(),
                              message.denials().end());
        report.unfinished.insert(report.unfinished.end(), message.unfinished().begin(),
                                 message.unfinished().end());
        report.findings.insert(report.findings.end(), message.findings().begin(),
                               message.findings().end());
        if (message.has_totals()) {
          whole = true;
          report.totals = message.totals();
          report.read_index = message.read_index();
        }
        return absl::OkStatus();
      }));
  if (!whole)
    return LocalError("STREAM_CUT", "the report ended before its totals came.", {},
                      "ask again: sluice audit report", kTryLater);
  return report;
}

void PrintJson(Session& session, const ReportData& report) {
  nlohmann::ordered_json json = {{"from", report.from},
                                 {"to", report.to},
                                 {"utcOffset", report.offset},
                                 {"origin", report.origin},
                                 {"readIndex", report.read_index},
                                 {"totals", ToJson(report.totals)}};
  const auto list = [&](const char* name, const auto& messages) {
    nlohmann::ordered_json array = nlohmann::ordered_json::array();
    for (const auto& message : messages) array.push_back(ToJson(message));
    json[name] = std::move(array);
  };
  list("findings", report.findings);
  list("uses", report.uses);
  list("denials", report.denials);
  list("unfinished", report.unfinished);
  session.environment.out << json.dump() << '\n';
}

class ReportTables {
 public:
  ReportTables(Session& session, const ReportData& report) : session_(session), report_(report) {}

  void Print() {
    Findings();
    Uses();
    Days();
    Denials();
    Unfinished();
  }

 private:
  void Table(std::string_view title, const std::vector<TableColumn>& columns,
             const std::vector<std::vector<std::string>>& rows) {
    std::vector<TableColumn> labelled = columns;
    for (TableColumn& column : labelled) column.title = session_.Label(column.title);
    session_.environment.out << std::exchange(gap_, "\n") << session_.Label(title) << '\n'
                             << FormatTable(labelled, rows);
  }
  void Findings() {
    if (report_.findings.empty()) {
      session_.environment.out << session_.Label("worth a look") << ": "
                               << session_.Label("nothing") << '\n';
      gap_ = "\n";
      return;
    }
    std::vector<std::vector<std::string>> rows;
    for (const v1::ReportFinding& finding : report_.findings) {
      const FindingWords words = WordsOf(finding);
      rows.push_back({session_.chinese() ? words.what_zh : words.what, finding.day(),
                      PrincipalWords(finding.principal()), finding.dataset(),
                      session_.chinese() ? words.why_zh : words.why, ExampleWords(finding)});
    }
    Table("worth a look", {{"what"}, {"day"}, {"consumer"}, {"dataset"}, {"why"}, {"records"}},
          rows);
  }
  void Uses() {
    std::vector<std::vector<std::string>> rows;
    for (const ReportSum& sum : SumBy(report_, [](const v1::ReportUse& use) {
           return absl::StrCat(use.agency(), "\n", use.dataset(), "\n", use.purpose());
         })) {
      const size_t first = sum.key.find('\n'), second = sum.key.find('\n', first + 1);
      rows.push_back({sum.key.substr(0, first), sum.key.substr(first + 1, second - first - 1),
                      sum.key.substr(second + 1), Grouped(sum.answers), Grouped(sum.streams),
                      Grouped(sum.rows), Grouped(sum.denied), Grouped(sum.failed)});
    }
    if (rows.empty()) return;
    Table("uses",
          {{"agency"},
           {"dataset"},
           {"purpose"},
           {"answers", true},
           {"streams", true},
           {"rows", true},
           {"denied", true},
           {"failed", true}},
          rows);
  }
  void Days() {
    const std::vector<ReportSum> days = SumByDay(report_);
    int64_t most = 1;
    for (const ReportSum& day : days) most = std::max(most, day.calls());
    std::vector<std::vector<std::string>> rows;
    for (const ReportSum& day : days) {
      if (day.calls() == 0) continue;
      std::string bar;
      for (int64_t i = 0; i < (day.calls() * 30 + most - 1) / most; ++i) bar += "█";
      rows.push_back({day.key, Grouped(day.answers + day.streams), Grouped(day.rows),
                      Grouped(day.denied), Grouped(day.failed), bar});
    }
    if (rows.empty()) return;
    Table(
        "days",
        {{"day"}, {"let go", true}, {"rows", true}, {"denied", true}, {"failed", true}, {"calls"}},
        rows);
  }
  void Denials() {
    std::vector<std::vector<std::string>> rows;
    for (const v1::ReportDenial& denial : report_.denials)
      rows.push_back({v1::Reason_Name(denial.reason()).substr(7), denial.agency(), denial.dataset(),
                      Grouped(denial.count()), absl::StrCat("#", denial.last_index())});
    if (rows.empty()) return;
    Table("denials", {{"reason"}, {"agency"}, {"dataset"}, {"count", true}, {"newest", true}},
          rows);
  }
  void Unfinished() {
    std::vector<std::vector<std::string>> rows;
    for (const v1::ReportStream& stream : report_.unfinished)
      rows.push_back({absl::StrCat("#", stream.opened()),
                      FormatShort(ToMicros(stream.time()), session_.environment.zone),
                      PrincipalWords(stream.principal()), stream.dataset(),
                      absl::StrCat("≤", Grouped(stream.rows()))});
    if (rows.empty()) return;
    Table("streams without an end",
          {{"record"}, {"since"}, {"consumer"}, {"dataset"}, {"rows", true}}, rows);
  }

  Session& session_;
  const ReportData& report_;
  std::string gap_;
};

void PrintCsv(Session& session, const ReportData& report) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::ReportUse& use : report.uses)
    rows.push_back({use.day(), use.agency(), use.owner_agency(), use.dataset(), use.purpose(),
                    absl::StrCat(use.answers()), absl::StrCat(use.streams()),
                    absl::StrCat(use.rows()), absl::StrCat(use.payload_bytes()),
                    absl::StrCat(use.denied()), absl::StrCat(use.failed())});
  session.environment.out << FormatCsv({{"day"},
                                        {"agency"},
                                        {"owner"},
                                        {"dataset"},
                                        {"purpose"},
                                        {"answers"},
                                        {"streams"},
                                        {"rows"},
                                        {"payload_bytes"},
                                        {"denied"},
                                        {"failed"}},
                                       rows);
}

absl::Status Report(Session& session, const ReportOptions& options) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(const ReportData report, Fetch(session, options));
  if (!options.html.empty())
    SLUICE_RETURN_IF_ERROR(
        environment.files.WriteAtomically(options.html, ReportPage(report), 0600));
  switch (session.format()) {
    case Format::kJson:
      PrintJson(session, report);
      break;
    case Format::kCsv:
      PrintCsv(session, report);
      break;
    case Format::kTable:
      ReportTables(session, report).Print();
      break;
  }
  environment.out.flush();
  const v1::ReportTotals& totals = report.totals;
  environment.err << report.from << " to " << report.to << " " << report.offset << " · "
                  << Grouped(totals.records()) << " records";
  if (totals.records() > 0)
    environment.err << " within #" << totals.first_index() << " to #" << totals.next_index() - 1;
  environment.err << " · this reading is #" << report.read_index << '\n';
  if (totals.not_judged() > 0)
    environment.err << Grouped(totals.not_judged())
                    << " uses are too new to be held against their own history\n";
  if (totals.erased() > 0)
    environment.err << Grouped(totals.erased())
                    << " records have no details any more: looks at one person among them are not "
                       "seen\n";
  if (!options.html.empty()) environment.err << "wrote " << options.html << '\n';
  return absl::OkStatus();
}

}  // namespace

void AddAuditReportCommand(CLI::App& audit, Invocation& invocation) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* report = audit.add_subcommand(
      "report", "what was used and refused, by day, and what is worth a look; recorded itself");
  report->add_option("--month", options->month, "2026-11; without any days, the month so far");
  report->add_option("--since", options->since, "the first day: today, 2026-11-23, 7d");
  report->add_option("--until", options->until, "the day behind the last");
  report
      ->add_option("--html", options->html, "also write a page with charts, for a screen or paper")
      ->type_name("FILE");
  report->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Report(session, *options); };
  });
}

}  // namespace sluice::cli
