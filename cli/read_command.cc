// sluice read: all records that match, as one stream into a file. Each batch is held against its
// record's receipt before it is written; the file gets its name when it is whole, and beside it
// stands what proves it. What was cut is taken up by --resume.
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/access_options.h"
#include "cli/commands.h"
#include "cli/display.h"
#include "cli/methods.h"
#include "cli/progress.h"
#include "cli/query_summary.h"
#include "cli/receipts.h"
#include "cli/stream_check.h"
#include "cli/stream_file.h"
#include "cli/stream_receipt.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct ReadOptions {
  AccessOptions access;
  std::string output;
  bool resume = false;
};

const char* MediaTypeOf(const std::string& format) {
  if (format == "csv") return "text/csv";
  if (format == "arrow") return "application/vnd.apache.arrow.stream";
  return "application/x-ndjson";
}

class Read {
 public:
  Read(Session& session, const ReadOptions& options)
      : session_(session),
        environment_(session.environment),
        options_(options),
        file_(session.environment, options.output) {}

  absl::Status Run() {
    SLUICE_RETURN_IF_ERROR(Prepare());
    SLUICE_ASSIGN_OR_RETURN(const Profile* const profile, session_.GetProfile());
    check_.emplace(request_, profile->log_key);
    if (options_.resume) SLUICE_RETURN_IF_ERROR(TakeUp());
    SLUICE_ASSIGN_OR_RETURN(Gateway* const gateway, session_.GetGateway());
    SLUICE_ASSIGN_OR_RETURN(const Micros deadline, session_.StreamDeadline());
    const Micros started = environment_.clock.Monotonic();
    absl::Status status;
    {
      ProgressBar bar(environment_);
      bar_ = &bar;
      status = CallStream(*gateway, kRead, request_, deadline,
                          [this](v1::ReadResponse& message) { return Take(message); });
    }
    if (status.ok() && !check_->closed())
      status = LocalError("STREAM_CUT", "the stream ended before its closing message.");
    if (!status.ok()) return Cut(status);
    SLUICE_RETURN_IF_ERROR(file_.Close());
    QueryTotals totals;
    SLUICE_ASSIGN_OR_RETURN(totals.receipt, Keep(options_.output));
    SLUICE_RETURN_IF_ERROR(file_.Name());
    totals.rows = check_->rows();
    totals.elapsed = environment_.clock.Monotonic() - started;
    totals.pages = 1;
    totals.first_index = check_->first_index();
    totals.last_index = check_->last_index();
    v1::QueryResponse summary;
    *summary.mutable_applied() = check_->applied();
    *summary.mutable_receipt() = check_->receipt().opened;
    environment_.err << FormatSummary(session_, summary, totals);
    return absl::OkStatus();
  }

 private:
  absl::Status Prepare() {
    const std::string& format = session_.format_named();
    if (format == "table")
      return UsageError("a stream is read as JSON lines, CSV or Arrow.",
                        "--format json, csv or arrow");
    if (options_.resume && !file_.is_file())
      return UsageError("what went to the standard output cannot be taken up.", "-o FILE");
    request_.set_media_type(MediaTypeOf(format));
    request_.set_request_id(options_.access.request_id.empty()
                                ? HexEncode(environment_.random.Bytes(16))
                                : options_.access.request_id);
    SLUICE_RETURN_IF_ERROR(file_.CheckPlace());
    return FillRequest(options_.access, session_, request_);
  }

  // What an earlier run has, as if it came now.
  absl::Status TakeUp() {
    SLUICE_ASSIGN_OR_RETURN(std::string id,
                            file_.TakeUp(request_, [this](const v1::ReadResponse& message) {
                              return check_->Take(message);
                            }));
    if (check_->resume_token().empty())
      return LocalError("NOTHING_TO_RESUME",
                        check_->bytes() > 0 ? "the stream has no order that it could go on in."
                                            : "nothing had come.",
                        {}, "the same command without --resume", kWrongUsage);
    request_.set_request_id(std::move(id));
    request_.set_resume_token(check_->resume_token());
    environment_.err << "going on behind " << Grouped(check_->rows()) << " rows of " << file_.part()
                     << '\n';
    return absl::OkStatus();
  }

  absl::Status Take(const v1::ReadResponse& message) {
    const bool first = !check_->opened();
    SLUICE_RETURN_IF_ERROR(check_->Take(message));
    if (first) {
      if (file_.HasJournal())
        environment_.err << "note: " << file_.part()
                         << " of an earlier run is begun anew; --resume would have gone on\n";
      SLUICE_RETURN_IF_ERROR(file_.Open(request_));
    }
    if (check_->closed()) return absl::OkStatus();
    bar_->ShowSoFar(
        absl::StrCat(Grouped(check_->rows()), " rows, ", Grouped(check_->bytes() >> 20), " MiB"));
    return file_.Add(message);
  }

  // Beside the file, or among the other receipts.
  absl::StatusOr<std::string> Keep(const std::string& name) {
    const StreamReceipt receipt = check_->receipt();
    std::string path = name + ".receipt.json";
    if (!file_.is_file()) {
      const std::string folder = StateFolder(environment_.variable);
      if (folder.empty())
        return UsageError("there is no place for receipts: neither HOME nor XDG_STATE_HOME is set.",
                          "XDG_STATE_HOME=DIR sluice read …");
      SLUICE_RETURN_IF_ERROR(
          environment_.files.CreateDirectories(JoinPath(folder, "receipts"), 0700));
      path = JoinPath(JoinPath(folder, "receipts"),
                      absl::StrCat(receipt.opened.index(), ".stream.json"));
    }
    SLUICE_RETURN_IF_ERROR(
        environment_.files.WriteAtomically(path, FormatStreamReceipt(receipt), 0600));
    return path;
  }

  // What came stays, under its temporary name, with what proves it.
  absl::Status Cut(const absl::Status& status) {
    Failure failure = DescribeRefusal(status, options_.access);
    if (check_->opened()) {
      SLUICE_RETURN_IF_ERROR(file_.Close());
      auto receipt = Keep(file_.part());
      if (!receipt.ok()) return receipt.status();
      failure.lines.insert(
          failure.lines.begin(),
          {{"came", absl::StrCat(Grouped(check_->rows()), " rows, ", check_->bytes(),
                                 " bytes, of a stream "
                                 "that was cut")},
           {"kept", file_.is_file() ? file_.part() : "what was written to standard output"},
           {"proved", absl::StrCat("by ", *receipt, ", up to #", check_->last_index())}});
    }
    // A token that was refused, or whose source changed, is spent.
    const v1::Reason reason = ReasonOf(status);
    const bool spent = reason == v1::REASON_SOURCE_CHANGED ||
                       reason == v1::REASON_RESUME_TOKEN_INVALID ||
                       reason == v1::REASON_RESUME_TOKEN_EXPIRED;
    const bool resume = file_.is_file() && !check_->resume_token().empty() && !spent;
    if (failure.exit_code != kTryLater && !spent && !(resume && IsLocalError(status)))
      return FromFailure(std::move(failure));
    std::string again = CommandAgain("read", options_.access);
    if (const std::string& format = session_.format_named(); !format.empty())
      absl::StrAppend(&again, " --format ", format);
    absl::StrAppend(&again, " -o ", ShellQuoted(options_.output), resume ? " --resume" : "");
    failure.lines.emplace_back("again", again + (resume ? " (within the hour; it goes on there)"
                                                        : " (it begins anew, and counts anew)"));
    return FromFailure(std::move(failure));
  }

  Session& session_;
  Environment& environment_;
  const ReadOptions& options_;
  v1::ReadRequest request_;
  StreamFile file_;
  std::optional<StreamCheck> check_;
  ProgressBar* bar_ = nullptr;
};

}  // namespace

void AddReadCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ReadOptions>();
  CLI::App* read =
      app.add_subcommand("read", "read all records that match, as one stream, into a file");
  AddAccessOptions(*read, options->access);
  AddRequestIdOption(*read, options->access);
  read->add_option("-o,--output", options->output,
                   "where to, or - for standard output; --format json (lines), csv or arrow (an "
                   "IPC stream)")
      ->type_name("FILE")
      ->required();
  read->add_flag("--resume", options->resume,
                 "go on with what a cut or killed run left in FILE.part");
  read->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Read(session, *options).Run(); };
  });
}

}  // namespace sluice::cli
