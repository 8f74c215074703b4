#include "cli/audit_proofs.h"

#include "absl/strings/str_cat.h"
#include "cli/methods.h"
#include "cli/named_file.h"
#include "cli/record_words.h"
#include "cli/words.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostProof = 1 << 20;

struct ProofOptions {
  int64_t index = 0;
  std::string file, key;
};

absl::Status ProofBroken(const std::string& what) {
  return LocalError("PROOF_BROKEN", what, {},
                    "keep the file; ask for the proof again: sluice audit prove INDEX -o FILE");
}

// The proof in the file is of the envelope in the file, under a head that this key signed.
absl::StatusOr<audit::TlogProof> CheckProof(const std::string& text,
                                            const audit::VerifierKey& key) {
  auto proof = audit::ParseTlogProof(text);
  if (!proof.ok()) return ProofBroken(std::string(proof.status().message()) + ".");
  if (proof->extra.empty()) return ProofBroken("the file holds no record beside its proof.");
  const absl::Status holds = audit::VerifyTlogProof(*proof, proof->extra, key);
  if (!holds.ok())
    return ProofBroken(
        absl::StrCat("the proof does not hold: ", std::string(holds.message()), "."));
  return proof;
}

absl::Status PrintProved(Session& session, const audit::TlogProof& proof,
                         const audit::VerifierKey& key) {
  v1::AuditEnvelope envelope;
  if (!envelope.ParseFromString(proof.extra)) return ProofBroken("the record cannot be read.");
  SLUICE_ASSIGN_OR_RETURN(const audit::Checkpoint head,
                          audit::VerifyCheckpoint(proof.checkpoint, key));
  FailureLines lines = {{"proved", absl::StrCat("#", proof.index, " of ", head.origin,
                                                ", under its head of size ", head.size)}};
  const FailureLines said = EnvelopeLines(envelope);
  lines.insert(lines.end(), said.begin(), said.end());
  session.PrintOne(lines, envelope);
  return absl::OkStatus();
}

absl::Status Prove(Session& session, const ProofOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  v1::ProveRecordRequest request;
  request.set_index(options.index);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kProveRecord, request));
  auto proof = audit::ParseTlogProof(response.proof());
  if (!proof.ok()) return ProofBroken(std::string(proof.status().message()) + ".");
  if (proof->index != static_cast<uint64_t>(options.index))
    return ProofBroken("the gateway proved another record.");
  proof->extra = response.envelope();
  const std::string text = audit::FormatTlogProof(*proof);
  SLUICE_RETURN_IF_ERROR(CheckProof(text, profile->log_key).status());
  SLUICE_RETURN_IF_ERROR(session.environment.files.WriteAtomically(options.file, text, 0644));
  session.environment.err << "wrote " << options.file << "  this reading is #"
                          << response.read_index() << "\nnext  sluice audit verify-proof "
                          << ShellQuoted(options.file) << " --key "
                          << audit::FormatVerifierKey(profile->log_key) << "\n";
  return PrintProved(session, *proof, profile->log_key);
}

absl::Status VerifyProof(Session& session, const ProofOptions& options) {
  FileSystem& files = session.environment.files;
  SLUICE_ASSIGN_OR_RETURN(const audit::VerifierKey key, ReadVerifierKey(files, options.key));
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile(files, options.file, kMostProof));
  SLUICE_ASSIGN_OR_RETURN(const audit::TlogProof proof, CheckProof(text, key));
  return PrintProved(session, proof, key);
}

}  // namespace

void AddAuditProofCommands(CLI::App& audit, Invocation& invocation) {
  auto options = std::make_shared<ProofOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const ProofOptions&)) {
    CLI::App* command = audit.add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  };
  CLI::App* prove = add("prove", "a file that proves one record, with the record in it", Prove);
  prove->add_option("index", options->index, "its number")
      ->required()
      ->check(CLI::NonNegativeNumber);
  prove->add_option("-o,--output", options->file, "what to write")->type_name("FILE")->required();
  CLI::App* proof = add("verify-proof", "check a file of sluice audit prove, offline", VerifyProof);
  proof->add_option("file", options->file, "as audit prove writes it")
      ->type_name("FILE")
      ->required();
  proof->add_option("--key", options->key, "log.vkey, or what it says")
      ->type_name("FILE")
      ->required();
}

}  // namespace sluice::cli
