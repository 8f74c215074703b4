// sluice audit pull: a copy of the log that its reader keeps.
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/audit_export.h"
#include "cli/display.h"
#include "cli/methods.h"
#include "cli/progress.h"
#include "cli/words.h"
#include "gateway/audit/log_copy.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct PullOptions {
  std::string folder;
};

std::string HeadWords(const audit::KeptHead& head, const std::string& file) {
  return absl::StrCat("size ", head.checkpoint.size, ", root ",
                      Base64Encode(AsBytes(head.checkpoint.root)), ", in ", file);
}

absl::Status TwoHistories(const audit::HeadConflict& conflict) {
  return LocalError("LOG_CONFLICT",
                    absl::StrCat(conflict.what, ". Both heads are signed by it: this is evidence."),
                    {{"kept", HeadWords(conflict.kept, conflict.kept_file)},
                     {"shown", HeadWords(conflict.shown, conflict.shown_file)}},
                    "keep this folder as it is, show both files to those who rely on the log, and "
                    "ask the operator whether it was set back to an older backup");
}

absl::Status CopyTrouble(const PullOptions& options, const absl::Status& status) {
  if (absl::IsFailedPrecondition(status))
    return LocalError("COPY_IN_USE", absl::StrCat("another process works on ", options.folder, "."),
                      {}, "wait for it", kTryLater);
  if (!absl::IsDataLoss(status)) return Annotate(status, options.folder);
  return LocalError(
      "COPY_DAMAGED",
      absl::StrCat("the copy cannot be continued: ", std::string(status.message()), "."),
      {{"folder", options.folder}},
      absl::StrCat("look what of it holds: sluice audit verify ", ShellQuoted(options.folder),
                   " --key log.vkey; then pull into another folder"));
}

// One message into the copy. `first` is for the head.
absl::Status TakeEntries(audit::LogCopy& copy, const v1::CopyEntriesResponse& message, bool first,
                         std::optional<audit::HeadConflict>* conflict) {
  if (first) {
    std::vector<Hash> consistency;
    for (const std::string& hash : message.consistency()) {
      if (hash.size() != kHashSize) return absl::InvalidArgumentError("a hash has not 32 bytes");
      consistency.push_back(HashFromBytes(hash));
    }
    SLUICE_RETURN_IF_ERROR(copy.Begin(message.checkpoint(), consistency, conflict));
  }
  for (const std::string& entry : message.entries()) SLUICE_RETURN_IF_ERROR(copy.Add(entry));
  return absl::OkStatus();
}

absl::Status Pull(Session& session, const PullOptions& options) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  SLUICE_ASSIGN_OR_RETURN(Gateway* const gateway, session.GetGateway());
  SLUICE_ASSIGN_OR_RETURN(const Micros deadline, session.StreamDeadline());
  auto copy = audit::LogCopy::Open(options.folder, profile->log_key, environment.files);
  if (!copy.ok()) return CopyTrouble(options, copy.status());
  const uint64_t had = (*copy)->next();
  v1::CopyEntriesRequest request;
  request.set_from(static_cast<int64_t>(had));
  if ((*copy)->newest())
    request.set_old_size(static_cast<int64_t>((*copy)->newest()->checkpoint.size));

  std::optional<audit::HeadConflict> conflict;
  absl::Status wrong;
  int64_t reading = -1;
  {
    ProgressBar bar(environment);
    const absl::Status status = CallStream(
        *gateway, kCopyEntries, request, deadline, [&](v1::CopyEntriesResponse& message) {
          const bool first = reading < 0;
          if (first) reading = message.read_index();
          wrong = TakeEntries(**copy, message, first, &conflict);
          if (wrong.ok()) bar.Show((*copy)->next(), (*copy)->newest()->checkpoint.size);
          return wrong;
        });
    if (wrong.ok() && !status.ok()) return status;
  }
  if (wrong.ok()) wrong = (*copy)->Finish();
  if (conflict) return TwoHistories(*conflict);
  if (!wrong.ok()) {
    if (absl::IsUnavailable(wrong) || absl::IsDataLoss(wrong) || absl::IsInvalidArgument(wrong))
      return LocalError(
          "PROOF_BROKEN",
          absl::StrCat("the gateway did not prove what it sent: ", std::string(wrong.message()),
                       "."),
          {}, "the copy is as it was; pull again, and tell the operator if it stays so");
    return Annotate(wrong, options.folder);
  }
  const audit::Checkpoint& head = (*copy)->newest()->checkpoint;
  environment.err << "copied  " << Grouped(static_cast<int64_t>(head.size - had))
                  << " records into " << options.folder << ", now " << head.size << ", root "
                  << Base64Encode(AsBytes(head.root)) << " · this reading is #" << reading
                  << "\nnext  sluice audit verify " << ShellQuoted(options.folder) << " --key "
                  << audit::FormatVerifierKey(profile->log_key) << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddAuditPullCommand(CLI::App& audit, Invocation& invocation) {
  auto options = std::make_shared<PullOptions>();
  CLI::App* command = audit.add_subcommand(
      "pull", "keep a copy of the log: what is new since the last time; for auditors; recorded");
  command->add_option("folder", options->folder, "where; made where there is none")
      ->type_name("DIR")
      ->required();
  command->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Pull(session, *options); };
  });
}

}  // namespace sluice::cli
