// sluice report sharing: how the law's clocks were kept, and what became of what is lent.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/sharing_score.h"
#include "cli/sharing_score_page.h"
#include "cli/times.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct SharingReportOptions {
  std::string month, since, until, html;
  bool published = false;
};

absl::StatusOr<absl::CivilMonth> MonthNamed(const std::string& text, const char* option) {
  absl::CivilMonth month;
  if (!absl::ParseCivilTime(text, &month))
    return UsageError(absl::StrCat(option, " is a year and a month."),
                      absl::StrCat(option, " 2026-11"));
  return month;
}

// Months, `end` not included: those named, or the one that now is.
absl::Status MonthsOf(const SharingReportOptions& options, absl::CivilMonth present,
                      absl::CivilMonth* begin, absl::CivilMonth* end) {
  *begin = present;
  *end = present + 1;
  if (!options.month.empty()) {
    if (!options.since.empty() || !options.until.empty())
      return UsageError("--month says which month; --since and --until say it too.",
                        "--month 2026-11");
    SLUICE_ASSIGN_OR_RETURN(*begin, MonthNamed(options.month, "--month"));
    *end = *begin + 1;
    return absl::OkStatus();
  }
  if (!options.since.empty()) {
    SLUICE_ASSIGN_OR_RETURN(*begin, MonthNamed(options.since, "--since"));
  }
  if (!options.until.empty()) {
    SLUICE_ASSIGN_OR_RETURN(*end, MonthNamed(options.until, "--until"));
  }
  if (*end <= *begin)
    return UsageError("--until, whose month is not included, is not later than --since.",
                      "--since 2026-01 --until 2027-01");
  return absl::OkStatus();
}

absl::StatusOr<SharingScores> FetchScores(Session& session, const SharingReportOptions& options) {
  const absl::TimeZone& zone = session.environment.zone;
  const Micros now = session.environment.clock.Now();
  const absl::CivilMonth present(absl::ToCivilSecond(absl::FromUnixMicros(now), zone));
  absl::CivilMonth begin, end;
  SLUICE_RETURN_IF_ERROR(MonthsOf(options, present, &begin, &end));
  const auto begin_of = [&zone](absl::CivilMonth month) {
    return absl::ToUnixMicros(absl::FromCivil(absl::CivilDay(month), zone));
  };
  v1::ReportSharingRequest request;
  *request.mutable_since() = ToTimestamp(begin_of(begin));
  *request.mutable_until() = ToTimestamp(begin_of(end));
  request.set_utc_offset_minutes(zone.At(absl::FromUnixMicros(begin_of(begin))).offset / 60);
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  SharingScores scores;
  SLUICE_ASSIGN_OR_RETURN(scores.report, Ask(session, kReportSharing, request));
  scores.from = absl::FormatCivilTime(begin);
  scores.to = absl::FormatCivilTime(end - 1);
  scores.offset = FormatOffset(begin_of(begin), zone);
  scores.origin = profile->log_key.name;
  scores.made = FormatTime(now, zone);
  if (options.published) MakePublic(scores);
  return scores;
}

void PrintScoresJson(Session& session, const SharingScores& scores) {
  nlohmann::ordered_json json = {{"from", scores.from},        {"to", scores.to},
                                 {"utcOffset", scores.offset}, {"origin", scores.origin},
                                 {"made", scores.made},        {"public", scores.published}};
  const nlohmann::ordered_json report = ToJson(scores.report);
  for (const auto& [key, value] : report.items()) json[key] = value;
  session.environment.out << json.dump() << '\n';
}

void PrintScoreTables(Session& session, const SharingScores& scores) {
  std::string gap;
  const auto print = [&](std::string_view title, ScoreTable table) {
    if (table.rows.empty()) return;
    for (TableColumn& column : table.columns) column.title = session.Label(column.title);
    session.environment.out << std::exchange(gap, "\n") << session.Label(title) << '\n'
                            << FormatTable(table.columns, table.rows);
  };
  print("agencies", OwnersTable(scores));
  if (scores.from != scores.to) print("months", MonthsTable(scores));
  print("refusals by law", RefusalsTable(scores));
  print("past the law's days", BreachesTable(scores));
  print("grants without use", UnusedTable(scores, session.environment.zone));
}

absl::Status ReportOnSharing(Session& session, const SharingReportOptions& options) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(const SharingScores scores, FetchScores(session, options));
  if (!options.html.empty())
    SLUICE_RETURN_IF_ERROR(environment.files.WriteAtomically(
        options.html, SharingScorePage(scores, environment.zone), 0600));
  switch (session.format()) {
    case Format::kJson:
      PrintScoresJson(session, scores);
      break;
    case Format::kCsv: {
      const ScoreTable all = AllScoresTable(scores);
      environment.out << FormatCsv(all.columns, all.rows);
      break;
    }
    case Format::kTable:
      PrintScoreTables(session, scores);
      break;
  }
  environment.out.flush();
  environment.err << scores.from << " to " << scores.to << " " << scores.offset << " · from "
                  << Grouped(scores.report.records()) << " records of the log · this reading is #"
                  << scores.report.read_index() << '\n';
  if (scores.report.erased() > 0)
    environment.err << Grouped(scores.report.erased())
                    << " changes have no details any more, and are not counted\n";
  if (!options.html.empty()) environment.err << "wrote " << options.html << '\n';
  return absl::OkStatus();
}

}  // namespace

void AddReportCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("report", "what the log comes to, for others to read");
  group->require_subcommand(1);
  const auto options = std::make_shared<SharingReportOptions>();
  CLI::App* sharing = group->add_subcommand(
      "sharing", "how each owner kept the law's days, by month; recorded itself");
  sharing->add_option("--month", options->month, "2026-11; without any, the present one");
  sharing->add_option("--since", options->since, "the first month");
  sharing->add_option("--until", options->until, "the month behind the last");
  sharing->add_flag("--public", options->published, "without what names a request or a grant");
  sharing
      ->add_option("--html", options->html, "also write a page with charts, for a screen or paper")
      ->type_name("FILE");
  sharing->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return ReportOnSharing(session, *options); };
  });
}

}  // namespace sluice::cli
