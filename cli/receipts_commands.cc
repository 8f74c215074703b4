// sluice receipts check: a receipt, and the bytes it is about, offline.
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/named_file.h"
#include "cli/receipts.h"
#include "cli/record_words.h"
#include "cli/stream_receipt.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

// A stream's lists the lengths of its batches.
constexpr uint64_t kMostReceipt = 64 << 20;
constexpr uint64_t kMostPayload = 64 << 20;

struct ReceiptsOptions {
  std::string receipt, data, key;
};

absl::Status CheckOfStream(Session& session, const ReceiptsOptions& options,
                           const std::string& text, const audit::VerifierKey& key) {
  const auto receipt = ParseStreamReceipt(text);
  if (!receipt.ok())
    return LocalError("RECEIPT_BROKEN",
                      absl::StrCat(options.receipt, ": ", std::string(receipt.status().message())));
  const auto proof = options.data.empty()
                         ? CheckStreamRecords(*receipt, key)
                         : CheckStreamFile(*receipt, key, options.data, session.environment.files);
  if (!proof.ok()) return proof.status();
  const v1::Receipt& latest = receipt->latest ? *receipt->latest : receipt->opened;
  FailureLines lines = {
      {"proved", absl::StrCat("#", receipt->opened.index(), " to #", latest.index(), " of ",
                              latest.origin(), ", signed in #", latest.first_index(), " to #",
                              latest.first_index() + latest.count() - 1)}};
  if (!options.data.empty())
    lines.emplace_back("data", proof->whole
                                   ? options.data + " is what was let go, whole"
                                   : absl::StrCat(options.data, " is the first ", proof->bytes,
                                                  " bytes of what was let go: the stream was cut"));
  const FailureLines said = EnvelopeLines(proof->latest);
  lines.insert(lines.end(), said.begin(), said.end());
  session.PrintOne(lines, proof->latest);
  return absl::OkStatus();
}

absl::Status Check(Session& session, const ReceiptsOptions& options) {
  FileSystem& files = session.environment.files;
  SLUICE_ASSIGN_OR_RETURN(const audit::VerifierKey key, ReadVerifierKey(files, options.key));
  SLUICE_ASSIGN_OR_RETURN(const std::string text,
                          ReadNamedFile(files, options.receipt, kMostReceipt));
  if (IsStreamReceipt(text)) return CheckOfStream(session, options, text, key);
  const auto receipt = ParseReceipt(text);
  if (!receipt.ok())
    return LocalError("RECEIPT_BROKEN",
                      absl::StrCat(options.receipt, ": ", std::string(receipt.status().message())));
  SLUICE_ASSIGN_OR_RETURN(const v1::AuditEnvelope envelope, CheckReceipt(*receipt, key));
  FailureLines lines = {{"proved", absl::StrCat("#", receipt->index(), " of ", receipt->origin(),
                                                ", signed in #", receipt->first_index(), " to #",
                                                receipt->first_index() + receipt->count() - 1)}};
  if (!options.data.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string data,
                            ReadNamedFile(files, options.data, kMostPayload));
    SLUICE_RETURN_IF_ERROR(CheckPayload(envelope, data));
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
  CLI::App* check = receipts->add_subcommand("check", "check a receipt, offline");
  check->add_option("receipt", options->receipt, "as query or read keeps it")
      ->type_name("FILE")
      ->required();
  check->add_option("data", options->data, "the bytes, as query --save-payload or read writes them")
      ->type_name("FILE");
  check->add_option("--key", options->key, "log.vkey, or what it says")
      ->type_name("FILE")
      ->required();
  check->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Check(session, *options); };
  });
}

}  // namespace sluice::cli
