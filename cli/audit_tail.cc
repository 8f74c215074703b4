#include "cli/audit_tail.h"

#include <algorithm>
#include <array>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/display.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/progress.h"
#include "cli/record_filter.h"
#include "cli/record_words.h"
#include "cli/times.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr auto kAskAgain = std::chrono::milliseconds(100);

struct TailOptions {
  FilterOptions filter;
  int64_t from = -1;
  int64_t limit = 0;
};

// Lines come one by one, so widths are given ahead; what is wider widens its column from there on.
class TailLines {
 public:
  explicit TailLines(Session& session) : session_(session) {}

  void Add(const v1::Record& record) {
    std::ostream& out = session_.environment.out;
    if (session_.format() == Format::kJson) {
      out << ToJsonLine(record) << '\n';
      return;
    }
    const v1::AuditEnvelope& envelope = record.envelope();
    const absl::TimeZone& zone = session_.environment.zone;
    const std::vector<std::string> cells = {
        absl::StrCat(record.index()), FormatShort(ToMicros(envelope.time()), zone),
        ActorWords(envelope.actor()), envelope.dataset(),
        envelope.purpose(),           OutcomeWords(envelope),
        CountWords(envelope)};
    const std::string offset = FormatOffset(session_.environment.clock.Now(), zone);
    const std::vector<TableColumn> columns = {{"#"},        {absl::StrCat("time ", offset)},
                                              {"consumer"}, {"dataset"},
                                              {"purpose"},  {"outcome"},
                                              {"rows"}};
    if (session_.format() == Format::kCsv) {
      std::string lines = FormatCsv(columns, {cells});
      if (begun_) lines.erase(0, lines.find("\r\n") + 2);
      out << lines;
    } else {
      if (!begun_) {
        std::vector<std::string> titles;
        for (const TableColumn& column : columns) titles.push_back(session_.Label(column.title));
        PrintLine(titles);
      }
      PrintLine(cells);
    }
    begun_ = true;
  }

 private:
  void PrintLine(const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = Harmless(cells[i]);
      widths_[i] = std::max(widths_[i], DisplayWidth(cell));
      absl::StrAppend(&line, i == 0 ? " " : "  ",
                      i == 0 ? PadLeft(cell, widths_[i]) : PadRight(cell, widths_[i]));
    }
    session_.environment.out << absl::StripTrailingAsciiWhitespace(line) << '\n';
  }

  std::array<size_t, 7> widths_ = {8, 14, 26, 26, 12, 28, 0};
  Session& session_;
  bool begun_ = false;
};

absl::Status Tail(Session& session, const TailOptions& options) {
  Environment& environment = session.environment;
  v1::TailRequest request;
  SLUICE_ASSIGN_OR_RETURN(*request.mutable_filter(), MakeFilter(environment, options.filter));
  if (options.from >= 0) request.set_from(options.from);
  SLUICE_ASSIGN_OR_RETURN(Gateway* const gateway, session.GetGateway());
  SLUICE_ASSIGN_OR_RETURN(const Micros deadline, session.StreamDeadline());
  TailLines lines(session);
  int64_t next = -1, shown = 0;
  bool begun = false, enough = false;
  const absl::Status status =
      CallStream(*gateway, kTail, request, deadline, [&](v1::TailResponse& message) {
        if (!std::exchange(begun, true))
          environment.err << "this reading is #" << message.read_index() << '\n';
        for (const v1::Record& record : message.records()) {
          lines.Add(record);
          next = record.index() + 1;
          enough = options.limit > 0 && ++shown >= options.limit;
          if (enough) break;
        }
        environment.out.flush();
        if (enough) return absl::CancelledError("enough");
        next = message.next_index();
        return absl::OkStatus();
      });
  if (begun) environment.err << "read up to here; to go on: --from " << next << '\n';
  return enough ? absl::OkStatus() : status;
}

absl::Status RebuildIndex(Session& session) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(const auto begun, Ask(session, kRebuildIndex, {}));
  v1::GetStatusResponse status;
  {
    ProgressBar bar(environment);
    for (;;) {
      SLUICE_ASSIGN_OR_RETURN(status, Ask(session, kGetStatus, {}));
      bar.Show(static_cast<uint64_t>(status.index_records()),
               static_cast<uint64_t>(begun.log_records()));
      if (status.index_records() >= begun.log_records()) break;
      std::this_thread::sleep_for(kAskAgain);
    }
  }
  session.PrintOne(
      {{"index", absl::StrCat("made anew from ", Grouped(status.index_records()), " records")},
       {"record", absl::StrCat("#", begun.change_index())}},
      begun);
  return absl::OkStatus();
}

}  // namespace

void AddAuditTailCommands(CLI::App& audit, Invocation& invocation) {
  auto options = std::make_shared<TailOptions>();
  CLI::App* tail = audit.add_subcommand("tail", "records as they are written; recorded itself");
  AddFilterOptions(*tail, options->filter);
  tail->add_option("--from", options->from, "the first record wanted; without it, the next to come")
      ->type_name("INDEX")
      ->check(CLI::NonNegativeNumber);
  tail->add_option("--limit", options->limit, "end after so many records")
      ->check(CLI::NonNegativeNumber);
  tail->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Tail(session, *options); };
  });
  CLI::App* rebuild = audit.add_subcommand(
      "rebuild-index", "make the search index anew from the log; for operators and auditors");
  rebuild->callback([&invocation] { invocation.command = RebuildIndex; });
}

}  // namespace sluice::cli
