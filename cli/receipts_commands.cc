// sluice receipts check: a receipt, and the bytes it is about, offline.
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/named_file.h"
#include "cli/receipts.h"
#include "cli/receipts_folder.h"
#include "cli/record_words.h"
#include "cli/stream_receipt.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

// A stream's lists the lengths of its batches.
constexpr uint64_t kMostReceipt = 64 << 20;
constexpr uint64_t kMostPayload = 64 << 20;

struct ReceiptsOptions {
  std::string receipt, data, key;
  ReceiptsLog log;
};

absl::Status NoReceipt(Session& session, const ReceiptsOptions& options, const absl::Status& why) {
  std::string next = "name the receipt first: sluice receipts check RECEIPT DATA --key log.vkey";
  if (!options.data.empty()) {
    const auto other = ReadNamedFile(session.environment.files, options.data, kMostReceipt);
    if (other.ok() && (IsStreamReceipt(*other) || ParseReceipt(*other).ok()))
      next = absl::StrCat(ShellQuoted(options.data), " is a receipt: sluice receipts check ",
                          ShellQuoted(options.data), " ", ShellQuoted(options.receipt), " --key ",
                          ShellQuoted(options.key));
  }
  return LocalError("RECEIPT_BROKEN",
                    absl::StrCat(options.receipt, ": ", std::string(why.message()), "."), {}, next);
}

// The receipt holds by itself, and not for this file.
absl::Status AnotherFile(const ReceiptsOptions& options, const absl::Status& why) {
  const Failure failure = DescribeFailure(why);
  if (failure.reason != "RECEIPT_BROKEN") return why;
  return LocalError(failure.reason, failure.sentence,
                    {{"receipt", options.receipt}, {"data", options.data}},
                    "look whether this is the file that came with this receipt; if it is, it was "
                    "changed since: keep both for the auditor");
}

absl::StatusOr<StreamProof> ProveStream(Session& session, const ReceiptsOptions& options,
                                        const StreamReceipt& receipt,
                                        const audit::VerifierKey& key) {
  auto proof = CheckStreamRecords(receipt, key);
  if (!proof.ok() || options.data.empty()) return proof;
  proof = CheckStreamFile(receipt, key, options.data, session.environment.files);
  if (!proof.ok()) return AnotherFile(options, proof.status());
  return proof;
}

absl::Status CheckOfStream(Session& session, const ReceiptsOptions& options,
                           const std::string& text, const audit::VerifierKey& key) {
  const auto receipt = ParseStreamReceipt(text);
  if (!receipt.ok()) return NoReceipt(session, options, receipt.status());
  SLUICE_ASSIGN_OR_RETURN(const StreamProof proof, ProveStream(session, options, *receipt, key));
  const v1::Receipt& latest = receipt->latest ? *receipt->latest : receipt->opened;
  FailureLines lines = {
      {"proved", absl::StrCat("#", receipt->opened.index(), " to #", latest.index(), " of ",
                              latest.origin(), ", signed in #", latest.first_index(), " to #",
                              latest.first_index() + latest.count() - 1)}};
  if (!options.data.empty())
    lines.emplace_back("data", proof.whole
                                   ? options.data + " is what was let go, whole"
                                   : absl::StrCat(options.data, " is the first ", proof.bytes,
                                                  " bytes of what was let go: the stream was cut"));
  const FailureLines said = EnvelopeLines(proof.latest);
  lines.insert(lines.end(), said.begin(), said.end());
  session.PrintOne(lines, proof.latest);
  return absl::OkStatus();
}

absl::Status Check(Session& session, const ReceiptsOptions& options) {
  FileSystem& files = session.environment.files;
  SLUICE_ASSIGN_OR_RETURN(const audit::VerifierKey key, ReadVerifierKey(files, options.key));
  if (const auto info = files.Stat(options.receipt); info.ok() && info->is_directory) {
    if (!options.data.empty())
      return UsageError("a folder of receipts takes no file of data.",
                        "data that lies in the same folder is found there");
    return CheckReceiptsFolder(session, options.receipt, key, options.log);
  }
  if (options.log.gateway || !options.log.copy.empty())
    return UsageError("a folder of receipts is held against the log, not one by itself.",
                      "sluice receipts check FOLDER --in-log --key log.vkey");
  SLUICE_ASSIGN_OR_RETURN(const std::string text,
                          ReadNamedFile(files, options.receipt, kMostReceipt));
  if (IsStreamReceipt(text)) return CheckOfStream(session, options, text, key);
  const auto receipt = ParseReceipt(text);
  if (!receipt.ok()) return NoReceipt(session, options, receipt.status());
  SLUICE_ASSIGN_OR_RETURN(const v1::AuditEnvelope envelope, CheckReceipt(*receipt, key));
  FailureLines lines = {{"proved", absl::StrCat("#", receipt->index(), " of ", receipt->origin(),
                                                ", signed in #", receipt->first_index(), " to #",
                                                receipt->first_index() + receipt->count() - 1)}};
  if (!options.data.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string data,
                            ReadNamedFile(files, options.data, kMostPayload));
    if (const absl::Status same = CheckPayload(envelope, data); !same.ok())
      return AnotherFile(options, same);
    lines.emplace_back("data", options.data + " is what was let go");
  }
  const FailureLines said = EnvelopeLines(envelope);
  lines.insert(lines.end(), said.begin(), said.end());
  session.PrintOne(lines, envelope);
  return absl::OkStatus();
}

}  // namespace

void AddReceiptsCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* receipts = app.add_subcommand("receipts", "what proves an access to whoever holds it");
  receipts->require_subcommand(1);
  auto options = std::make_shared<ReceiptsOptions>();
  CLI::App* check = receipts->add_subcommand("check", "check a receipt, or a folder of them");
  check->add_option("receipt", options->receipt, "as query or read keeps it, or their folder")
      ->type_name("FILE")
      ->required();
  check->add_option("data", options->data, "the bytes, as query --save-payload or read writes them")
      ->type_name("FILE");
  check->add_option("--key", options->key, "log.vkey, or what it says")
      ->type_name("FILE")
      ->required();
  CLI::Option* in_log = check->add_flag(
      "--in-log", options->log.gateway,
      "of a folder: also that the gateway's log has each record, unchanged; recorded once");
  check->add_option("--log", options->log.copy, "the same, with a copy of the log: audit pull DIR")
      ->type_name("DIR")
      ->excludes(in_log);
  check->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Check(session, *options); };
  });
}

}  // namespace sluice::cli
