// sluice read: all records that match, as one stream into a file. Each batch is held against its
// record's receipt before it is written; the file gets its name when it is whole, and beside it
// stands what proves it.
#include <deque>
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/access_options.h"
#include "cli/commands.h"
#include "cli/display.h"
#include "cli/methods.h"
#include "cli/progress.h"
#include "cli/query_summary.h"
#include "cli/receipts.h"
#include "cli/stream_receipt.h"
#include "cli/words.h"
#include "gateway/audit/merkle.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct ReadOptions {
  AccessOptions access;
  std::string output;
};

// Where the batches go: a file that is not yet named as asked, or the standard output.
class StreamFile {
 public:
  StreamFile(Environment& environment, std::string name)
      : environment_(environment), name_(std::move(name)) {}

  bool is_file() const { return name_ != "-"; }
  std::string part() const { return name_ + ".part"; }

  // Whether there is a place for it, before anybody is asked for anything.
  absl::Status CheckPlace() const {
    if (!is_file()) return absl::OkStatus();
    const std::string folder = DirectoryOf(name_);
    const auto info = environment_.files.Stat(folder);
    if (info.ok() && info->is_directory) return absl::OkStatus();
    return LocalError("FILE_NOT_WRITTEN", absl::StrCat(name_, ": there is no folder ", folder, "."),
                      {}, absl::StrCat("mkdir -p ", ShellQuoted(folder)), kWrongUsage);
  }
  absl::Status Open() {
    if (!is_file()) return absl::OkStatus();
    // What an earlier try left.
    if (environment_.files.Stat(part()).ok())
      SLUICE_RETURN_IF_ERROR(environment_.files.Remove(part()));
    SLUICE_ASSIGN_OR_RETURN(file_, environment_.files.CreateNew(part(), 0600));
    return absl::OkStatus();
  }
  absl::Status Write(std::string_view bytes) {
    if (!is_file()) {
      environment_.out << bytes;
      return environment_.out ? absl::OkStatus()
                              : LocalError("OUTPUT_LOST", "the output could not be written.");
    }
    SLUICE_RETURN_IF_ERROR(file_->WriteAt(size_, bytes));
    size_ += bytes.size();
    return absl::OkStatus();
  }
  absl::Status Close() {
    if (file_ == nullptr) {
      environment_.out.flush();
      return absl::OkStatus();
    }
    SLUICE_RETURN_IF_ERROR(file_->Sync());
    SLUICE_RETURN_IF_ERROR(file_->Close());
    file_.reset();
    return absl::OkStatus();
  }
  absl::Status Name() {
    if (!is_file()) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(environment_.files.Rename(part(), name_));
    return environment_.files.SyncDirectory(DirectoryOf(name_));
  }

 private:
  Environment& environment_;
  const std::string name_;
  std::unique_ptr<WritableFile> file_;
  uint64_t size_ = 0;
};

class Read {
 public:
  Read(Session& session, const ReadOptions& options)
      : session_(session),
        environment_(session.environment),
        options_(options),
        file_(session.environment, options.output) {}

  absl::Status Run() {
    SLUICE_RETURN_IF_ERROR(Prepare());
    SLUICE_ASSIGN_OR_RETURN(profile_, session_.GetProfile());
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
    if (status.ok() && !closed_)
      status = LocalError("STREAM_CUT", "the stream ended before its closing message.");
    if (!status.ok()) return Cut(status);
    SLUICE_RETURN_IF_ERROR(file_.Close());
    SLUICE_ASSIGN_OR_RETURN(totals_.receipt, Keep(options_.output));
    SLUICE_RETURN_IF_ERROR(file_.Name());
    totals_.elapsed = environment_.clock.Monotonic() - started;
    totals_.pages = 1;
    environment_.err << FormatSummary(session_, opening_, totals_);
    return absl::OkStatus();
  }

 private:
  absl::Status Prepare() {
    const std::string& format = session_.format_named();
    if (format == "table" || format == "markdown")
      return UsageError("a stream is read as JSON lines or CSV.", "--format csv");
    request_.set_media_type(format == "csv" ? "text/csv" : "application/x-ndjson");
    request_.set_request_id(options_.access.request_id.empty()
                                ? HexEncode(environment_.random.Bytes(16))
                                : options_.access.request_id);
    SLUICE_RETURN_IF_ERROR(file_.CheckPlace());
    return FillRequest(options_.access, session_, request_);
  }

  absl::Status Take(v1::ReadResponse& message) {
    if (closed_) return ReceiptBroken("something follows the end of the stream.");
    if (message.has_opening()) return Begin(message.opening());
    if (!opened_) return ReceiptBroken("the stream does not begin with its opening.");
    if (message.has_closing()) return Close(message.closing());
    if (message.has_step()) SLUICE_RETURN_IF_ERROR(TakeStep(message.step()));
    return TakeBatch(message);
  }

  absl::Status Begin(const v1::StreamOpening& opening) {
    if (opened_) return ReceiptBroken("the stream is opened twice.");
    opened_ = true;
    kept_.media_type = opening.media_type();
    kept_.opened = opening.receipt();
    SLUICE_ASSIGN_OR_RETURN(const StreamProof proof, CheckStreamRecords(kept_, profile_->log_key));
    if (proof.opened.dataset() != request_.dataset() ||
        proof.opened.purpose() != request_.purpose() ||
        opening.media_type() != request_.media_type())
      return ReceiptBroken("the receipt is of another access.");
    *opening_.mutable_applied() = opening.applied();
    *opening_.mutable_receipt() = opening.receipt();
    totals_.first_index = totals_.last_index = opening.receipt().index();
    return file_.Open();
  }

  // What may come next, under a receipt that covers it and all before it.
  absl::Status TakeStep(const v1::StreamStep& step) {
    if (!expected_.empty()) return ReceiptBroken("a step begins within another.");
    audit::CompactRange tree = tree_;
    for (const std::string& digest : step.batch_digests()) {
      if (digest.size() != kHashSize) return ReceiptBroken("a digest has not 32 bytes.");
      tree.Append(audit::LeafHash(digest));
      expected_.push_back(digest);
    }
    StreamReceipt so_far = kept_;
    so_far.latest = step.receipt();
    so_far.missing_digests.assign(expected_.begin(), expected_.end());
    SLUICE_ASSIGN_OR_RETURN(const StreamProof proof, CheckStreamRecords(so_far, profile_->log_key));
    if (AsBytes(tree.Root()) != proof.latest.digest())
      return ReceiptBroken("the step's digests are not those that its receipt is about.");
    kept_.latest = step.receipt();
    totals_.last_index = step.receipt().index();
    return absl::OkStatus();
  }

  absl::Status TakeBatch(const v1::ReadResponse& message) {
    const Hash digest = Sha256(message.payload());
    if (expected_.empty() || expected_.front() != AsBytes(digest) ||
        message.batch() != static_cast<int64_t>(tree_.size()))
      return ReceiptBroken("a batch is not the one that was recorded.");
    SLUICE_RETURN_IF_ERROR(file_.Write(message.payload()));
    expected_.pop_front();
    tree_.Append(audit::LeafHash(AsBytes(digest)));
    kept_.batch_lengths.push_back(static_cast<int64_t>(message.payload().size()));
    bytes_ += static_cast<int64_t>(message.payload().size());
    totals_.rows += message.rows();
    bar_->ShowSoFar(absl::StrCat(Grouped(totals_.rows), " rows, ", Grouped(bytes_ >> 20), " MiB"));
    return absl::OkStatus();
  }

  absl::Status Close(const v1::StreamClosing& closing) {
    if (!expected_.empty()) return ReceiptBroken("batches that were recorded did not come.");
    kept_.latest = closing.receipt();
    SLUICE_ASSIGN_OR_RETURN(const StreamProof proof, CheckStreamRecords(kept_, profile_->log_key));
    if (!proof.whole || proof.latest.count() != totals_.rows ||
        AsBytes(tree_.Root()) != proof.latest.digest())
      return ReceiptBroken("the receipt of the whole stream is not about what came.");
    *opening_.mutable_applied()->mutable_quota_left() = closing.quota_left();
    opening_.mutable_applied()->set_bad_values(closing.bad_values());
    totals_.last_index = closing.receipt().index();
    closed_ = true;
    return absl::OkStatus();
  }

  // Beside the file, or among the other receipts.
  absl::StatusOr<std::string> Keep(const std::string& name) {
    std::string path = name + ".receipt.json";
    if (!file_.is_file()) {
      const std::string folder = StateFolder(environment_.variable);
      if (folder.empty())
        return UsageError("there is no place for receipts: neither HOME nor XDG_STATE_HOME is set.",
                          "XDG_STATE_HOME=DIR sluice read …");
      SLUICE_RETURN_IF_ERROR(
          environment_.files.CreateDirectories(JoinPath(folder, "receipts"), 0700));
      path = JoinPath(JoinPath(folder, "receipts"),
                      absl::StrCat(kept_.opened.index(), ".stream.json"));
    }
    kept_.missing_digests.assign(expected_.begin(), expected_.end());
    SLUICE_RETURN_IF_ERROR(
        environment_.files.WriteAtomically(path, FormatStreamReceipt(kept_), 0600));
    return path;
  }

  // What came stays, under its temporary name, with what proves it.
  absl::Status Cut(const absl::Status& status) {
    Failure failure = DescribeRefusal(status, options_.access);
    if (opened_) {
      SLUICE_RETURN_IF_ERROR(file_.Close());
      auto receipt = Keep(file_.part());
      if (!receipt.ok()) return receipt.status();
      failure.lines.insert(
          failure.lines.begin(),
          {{"came", absl::StrCat(Grouped(totals_.rows), " rows, ", bytes_,
                                 " bytes, of a stream "
                                 "that was cut")},
           {"kept", file_.is_file() ? file_.part() : "what was written to standard output"},
           {"proved", absl::StrCat("by ", *receipt, ", up to #", totals_.last_index)}});
    }
    if (failure.exit_code != kTryLater) return FromFailure(std::move(failure));
    std::string again = CommandAgain("read", options_.access);
    if (const std::string& format = session_.format_named(); !format.empty())
      absl::StrAppend(&again, " --format ", format);
    absl::StrAppend(&again, " -o ", ShellQuoted(options_.output));
    failure.lines.emplace_back("again", again + " (it begins anew, and counts anew)");
    return FromFailure(std::move(failure));
  }

  Session& session_;
  Environment& environment_;
  const ReadOptions& options_;
  const Profile* profile_ = nullptr;
  v1::ReadRequest request_;
  StreamFile file_;
  ProgressBar* bar_ = nullptr;
  bool opened_ = false, closed_ = false;
  v1::QueryResponse opening_;  // for the summary
  StreamReceipt kept_;
  audit::CompactRange tree_;          // over what came
  std::deque<std::string> expected_;  // digests of what is recorded and has not come
  int64_t bytes_ = 0;
  QueryTotals totals_;
};

}  // namespace

void AddReadCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ReadOptions>();
  CLI::App* read =
      app.add_subcommand("read", "read all records that match, as one stream, into a file");
  AddAccessOptions(*read, options->access);
  AddRequestIdOption(*read, options->access);
  read->add_option("-o,--output", options->output,
                   "where to, or - for standard output; --format json (lines) or csv")
      ->type_name("FILE")
      ->required();
  read->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Read(session, *options).Run(); };
  });
}

}  // namespace sluice::cli
