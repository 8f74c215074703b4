#include "cli/audit_seal.h"

#include "absl/strings/str_cat.h"
#include "cli/named_file.h"
#include "cli/words.h"
#include "gateway/audit/seal.h"
#include "gateway/audit/signing_key.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostPemBytes = 4 << 20;
constexpr uint64_t kMostHead = 1 << 20;
// What stands ready beside the log until both folders have changed their names.
constexpr absl::string_view kReady = ".successor";

struct SealOptions {
  std::string log, key, reason, output = "seal.txt";
  std::vector<std::string> heads;
  std::string statement, certificate, person_key;
  std::vector<std::string> signatures, authorities, lists;
};

absl::Status SealRefused(absl::string_view what, absl::string_view next, FailureLines lines = {}) {
  return LocalError("SEAL_REFUSED", absl::StrCat(what, "."), std::move(lines), std::string(next));
}

std::string FolderName(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Keeps a gateway away while the log is looked at.
absl::StatusOr<std::unique_ptr<FileLock>> LockLog(FileSystem& files, const std::string& log) {
  const auto info = files.Stat(JoinPath(log, "segments"));
  if (!info.ok()) return NotRead(log, info.status());
  auto lock = files.Lock(JoinPath(log, "lock"));
  if (lock.ok()) return lock;
  if (!absl::IsFailedPrecondition(lock.status())) return NotRead(log, lock.status());
  return SealRefused("a gateway runs on this log",
                     "stop it first; a log that serves needs no seal");
}

absl::StatusOr<audit::SealStatement> Examine(Session& session, const SealOptions& options,
                                             const audit::VerifierKey& key) {
  FileSystem& files = session.environment.files;
  std::vector<std::string> heads;
  for (const std::string& path : options.heads) {
    SLUICE_ASSIGN_OR_RETURN(heads.emplace_back(), ReadNamedFile(files, path, kMostHead));
  }
  auto statement = audit::ExamineForSeal(FolderName(options.log), key, files, heads);
  if (statement.ok()) return statement;
  if (absl::IsDataLoss(statement.status()) || absl::IsInvalidArgument(statement.status()))
    return SealRefused(std::string(statement.status().message()),
                       "--head FILE takes heads of this log, such as state/kept-head");
  return NotRead(options.log, statement.status());
}

FailureLines StatementLines(const audit::SealStatement& statement) {
  FailureLines lines = {
      {"log", statement.origin},
      {"holds",
       absl::StrCat(statement.size, " records, root ", Base64Encode(AsBytes(statement.root)))},
      {"lost", statement.head_size > statement.size
                   ? absl::StrCat("#", statement.size, " to #", statement.head_size - 1,
                                  ", which a head was signed over")
                   : "nothing that a known head was signed over"},
      {"behind", absl::StrCat(statement.bytes_behind, " bytes that no head vouches for")},
      {"reason", statement.reason},
      {"successor", audit::SuccessorOrigin(statement.origin)}};
  return lines;
}

void PrintLines(Session& session, const FailureLines& lines) {
  for (const auto& [label, text] : lines)
    session.environment.out << PadRight(label, 11) << text << "\n";
}

absl::Status Prepare(Session& session, const SealOptions& options) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(const audit::VerifierKey key,
                          ReadVerifierKey(environment.files, options.key));
  SLUICE_ASSIGN_OR_RETURN(const auto lock, LockLog(environment.files, FolderName(options.log)));
  SLUICE_ASSIGN_OR_RETURN(audit::SealStatement statement, Examine(session, options, key));
  statement.reason = options.reason;
  statement.time = environment.clock.Now() / kSecond * kSecond;
  const std::string text = audit::FormatSealStatement(statement);
  if (const auto read = audit::ParseSealStatement(text); !read.ok())
    return UsageError(absl::StrCat(std::string(read.status().message()), "."),
                      "--reason \"disk 2 failed on 2026-11-27, no newer backup\"");
  SLUICE_RETURN_IF_ERROR(environment.files.WriteAtomically(options.output, text, 0644));
  PrintLines(session, StatementLines(statement));
  environment.err << "wrote " << options.output
                  << "\nnext  two persons, each where the own key is:  sluice audit seal sign "
                  << ShellQuoted(options.output) << " --cert PERSON.pem --key PERSON.key\n";
  return absl::OkStatus();
}

absl::Status Sign(Session& session, const SealOptions& options) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(
      const std::string statement,
      ReadNamedFile(environment.files, options.statement, audit::kMostSealBytes));
  const auto parsed = audit::ParseSealStatement(statement);
  if (!parsed.ok())
    return SealRefused(absl::StrCat(options.statement, ": ", parsed.status().message()),
                       "take the statement as sluice audit seal prepare wrote it");
  SLUICE_ASSIGN_OR_RETURN(const std::string pem,
                          ReadNamedFile(environment.files, options.certificate, kMostPemBytes));
  SLUICE_ASSIGN_OR_RETURN(const auto chain,
                          certs::Certificate::ChainFromPem(pem, options.certificate));
  SLUICE_ASSIGN_OR_RETURN(const std::string key_pem,
                          ReadNamedFile(environment.files, options.person_key, kMostPemBytes));
  SLUICE_ASSIGN_OR_RETURN(const auto key, certs::PrivateKey::FromPem(key_pem, options.person_key));
  SLUICE_RETURN_IF_ERROR(certs::CheckPair(key, chain[0]));
  audit::SealSignature signature{chain[0], ""};
  SLUICE_ASSIGN_OR_RETURN(signature.signature, key.Sign(statement));
  const std::string file = options.output.empty()
                               ? absl::StrCat(options.statement, ".", chain[0].serial(), ".sig")
                               : options.output;
  SLUICE_RETURN_IF_ERROR(
      environment.files.WriteAtomically(file, audit::FormatSealSignature(signature), 0644));
  PrintLines(session, StatementLines(*parsed));
  environment.err << "wrote " << file << "  signed by "
                  << (chain[0].uris().empty() ? "nobody" : chain[0].uris()[0]) << "\n";
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const certs::ChainVerifier>> ReadVerifier(Session& session,
                                                                         const SealOptions& options,
                                                                         const audit::Seal& seal) {
  if (options.authorities.size() != options.lists.size())
    return UsageError("each --authority comes with its --revocation-list.",
                      "--authority tls/authority.pem --revocation-list tls/revocation.pem");
  certs::ChainVerifierOptions verifier;
  const auto& uris = seal.signatures[0].certificate.uris();
  const auto identity = certs::ParseSpiffeId(uris.empty() ? "" : uris[0]);
  if (!identity.ok())
    return SealRefused("the first signature is of nobody", "two persons sign a seal");
  verifier.trust_domain = identity->trust_domain;
  for (size_t i = 0; i < options.authorities.size(); ++i) {
    certs::AuthorityConfig authority{.place = options.authorities[i], .agencies = {"*"}};
    SLUICE_ASSIGN_OR_RETURN(
        authority.certificates_pem,
        ReadNamedFile(session.environment.files, options.authorities[i], kMostPemBytes));
    SLUICE_ASSIGN_OR_RETURN(authority.lists_pem, ReadNamedFile(session.environment.files,
                                                               options.lists[i], kMostPemBytes));
    verifier.authorities.push_back(std::move(authority));
  }
  return certs::ChainVerifier::Build(std::move(verifier));
}

absl::StatusOr<audit::Seal> ReadSeal(Session& session, const SealOptions& options) {
  FileSystem& files = session.environment.files;
  audit::Seal seal;
  SLUICE_ASSIGN_OR_RETURN(seal.statement,
                          ReadNamedFile(files, options.statement, audit::kMostSealBytes));
  for (const std::string& path : options.signatures) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text,
                            ReadNamedFile(files, path, audit::kMostSealBytes));
    auto signature = audit::ParseSealSignature(text, path);
    if (!signature.ok())
      return SealRefused(std::string(signature.status().message()),
                         "take it as sluice audit seal sign wrote it");
    seal.signatures.push_back(*std::move(signature));
  }
  return seal;
}

// The log is still what was signed.
absl::Status CheckUnchanged(Session& session, const SealOptions& options,
                            const audit::SealStatement& signed_one) {
  SLUICE_ASSIGN_OR_RETURN(const audit::VerifierKey key,
                          ReadVerifierKey(session.environment.files, options.key));
  SLUICE_ASSIGN_OR_RETURN(audit::SealStatement now, Examine(session, options, key));
  if (now.head_size < signed_one.head_size) {  // known from elsewhere when it was prepared
    now.head_size = signed_one.head_size;
    now.head_root = signed_one.head_root;
  }
  now.reason = signed_one.reason;
  now.time = signed_one.time;
  if (audit::FormatSealStatement(now) == audit::FormatSealStatement(signed_one))
    return absl::OkStatus();
  return SealRefused("the log is not what was signed",
                     "prepare and sign anew: sluice audit seal prepare", StatementLines(now));
}

// The successor's key, unless an interrupted run has made it already.
absl::StatusOr<std::string> MakeKey(Session& session, const std::string& folder,
                                    const std::string& origin) {
  FileSystem& files = session.environment.files;
  const std::string name = absl::StrCat("log-", origin.substr(origin.rfind('/') + 1));
  const std::string path = JoinPath(folder, name + ".key");
  if (const auto text = files.ReadAll(path, 4096); text.ok()) {
    const auto key = audit::ParseSigningKey(*text);
    if (!key.ok() || key->name != origin)
      return SealRefused(absl::StrCat(path, " is there, and is not the key of ", origin),
                         "move it away");
  } else {
    SLUICE_ASSIGN_OR_RETURN(
        const audit::NamedSigningKey key,
        audit::MakeSigningKey(origin, session.environment.random.Bytes(kHashSize)));
    SLUICE_RETURN_IF_ERROR(files.WriteAtomically(
        JoinPath(folder, name + ".vkey"), audit::FormatVerifierKey(key.verifier) + "\n", 0644));
    SLUICE_RETURN_IF_ERROR(files.WriteAtomically(path, audit::FormatSigningKey(key), 0600));
  }
  return name;
}

// The log's folder becomes `aside`; one that holds the seal alone takes its place. Whatever of it a
// run that was interrupted has done, the next one goes on from there.
absl::Status ChangeFolders(FileSystem& files, const std::string& log, const std::string& aside,
                           const std::string& seal) {
  const std::string ready = absl::StrCat(log, kReady);
  if (files.Stat(log).ok()) {
    SLUICE_RETURN_IF_ERROR(files.WriteAtomically(JoinPath(log, audit::kSealFile), seal, 0644));
    SLUICE_RETURN_IF_ERROR(files.CreateDirectories(ready));
    SLUICE_RETURN_IF_ERROR(files.WriteAtomically(JoinPath(ready, audit::kSealFile), seal, 0644));
    SLUICE_RETURN_IF_ERROR(files.SyncDirectory(DirectoryOf(log)));
    if (files.Stat(aside).ok())
      return SealRefused(absl::StrCat(aside, " is there already"), "move it away");
    SLUICE_RETURN_IF_ERROR(files.Rename(log, aside));
    SLUICE_RETURN_IF_ERROR(files.SyncDirectory(DirectoryOf(log)));
  }
  SLUICE_RETURN_IF_ERROR(files.Rename(ready, log));
  return files.SyncDirectory(DirectoryOf(log));
}

absl::Status Finish(Session& session, const SealOptions& options) {
  Environment& environment = session.environment;
  FileSystem& files = environment.files;
  const std::string log = FolderName(options.log);
  SLUICE_ASSIGN_OR_RETURN(const audit::Seal seal, ReadSeal(session, options));
  const auto said = audit::SealInfoOf(seal);
  if (!said.ok())
    return SealRefused(std::string(said.status().message()),
                       "sluice audit seal sign, by two persons, over the statement as it is");
  SLUICE_ASSIGN_OR_RETURN(const auto verifier, ReadVerifier(session, options, seal));
  SLUICE_RETURN_IF_ERROR(audit::CheckSeal(seal, *verifier, environment.clock.Now()).status());
  SLUICE_ASSIGN_OR_RETURN(const audit::SealStatement statement,
                          audit::ParseSealStatement(seal.statement));
  std::unique_ptr<FileLock> lock;
  if (files.Stat(log).ok() || !files.Stat(absl::StrCat(log, kReady)).ok()) {
    SLUICE_ASSIGN_OR_RETURN(lock, LockLog(files, log));
    SLUICE_RETURN_IF_ERROR(CheckUnchanged(session, options, statement));
  }
  const std::string successor = audit::SuccessorOrigin(statement.origin);
  SLUICE_ASSIGN_OR_RETURN(const std::string name, MakeKey(session, DirectoryOf(log), successor));
  const std::string aside = absl::StrCat(log, ".sealed-at-", statement.size);
  SLUICE_RETURN_IF_ERROR(ChangeFolders(files, log, aside, audit::FormatSeal(seal)));
  environment.out << "sealed     " << audit::SealWords(*said) << "\nkept       " << aside
                  << "\nsuccessor  " << successor << "\n";
  environment.err << "next  in sluiced.yaml, under audit:\n        origin: " << successor
                  << "\n        signing_key: " << name
                  << ".key\n        kept_head: state/kept-head-" << name.substr(4)
                  << "\n        heads_at: []   # until there are heads of it elsewhere\n"
                  << "      start the gateway, give " << name
                  << ".vkey to all who verify, and keep the old log.vkey for the old log\n";
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<std::string>> SealedWords(FileSystem& files, const std::string& folder,
                                                       const std::string& origin) {
  const std::string path = JoinPath(folder, audit::kSealFile);
  const auto text = files.ReadAll(path, audit::kMostSealBytes);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return NotRead(path, text.status());
  const auto seal = audit::ParseSeal(*text, path);
  auto info = seal.ok() ? audit::SealInfoOf(*seal) : seal.status();
  if (!info.ok())
    return SealRefused(absl::StrCat(path, ": ", info.status().message()),
                       "keep the folder; ask those who sealed it for what they signed");
  if (info->origin() != origin) return std::nullopt;  // what it continues: its first record says it
  return audit::SealWords(*info);
}

void AddAuditSealCommands(CLI::App& audit, Invocation& invocation) {
  CLI::App* seal = audit.add_subcommand(
      "seal", "end a log that cannot go on, by two persons, so that a successor begins; offline");
  seal->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, std::shared_ptr<SealOptions> options,
                       absl::Status (*run)(Session&, const SealOptions&)) {
    CLI::App* command = seal->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  };
  auto preparing = std::make_shared<SealOptions>();
  CLI::App* prepare =
      add("prepare", "verify the log and write what two persons are to sign", preparing, Prepare);
  prepare->add_option("log", preparing->log, "the log's folder")->type_name("DIR")->required();
  prepare->add_option("--key", preparing->key, "log.vkey, or what it says")
      ->type_name("FILE")
      ->required();
  prepare->add_option("--reason", preparing->reason, "why, in one line")->required();
  prepare->add_option("--head", preparing->heads, "a head of it kept elsewhere")->type_name("FILE");
  prepare->add_option("-o,--output", preparing->output, "what to write (seal.txt)")
      ->type_name("FILE");

  auto signing = std::make_shared<SealOptions>();
  signing->output.clear();
  CLI::App* sign = add("sign", "sign a statement that you have read", signing, Sign);
  sign->add_option("statement", signing->statement, "as prepare wrote it")
      ->type_name("FILE")
      ->required();
  sign->add_option("--cert", signing->certificate, "your certificate")
      ->type_name("FILE")
      ->required();
  sign->add_option("--key", signing->person_key, "its key")->type_name("FILE")->required();
  sign->add_option("-o,--output", signing->output, "what to write (STATEMENT.SERIAL.sig)")
      ->type_name("FILE");

  auto finishing = std::make_shared<SealOptions>();
  CLI::App* finish =
      add("finish", "check both signatures, put the log aside, make its successor ready", finishing,
          Finish);
  finish->add_option("statement", finishing->statement, "as prepare wrote it")
      ->type_name("FILE")
      ->required();
  finish->add_option("signatures", finishing->signatures, "of two persons")
      ->type_name("FILE")
      ->required();
  finish->add_option("--log", finishing->log, "the log's folder")->type_name("DIR")->required();
  finish->add_option("--key", finishing->key, "log.vkey, or what it says")
      ->type_name("FILE")
      ->required();
  finish->add_option("--authority", finishing->authorities, "who signed their certificates")
      ->type_name("FILE")
      ->required();
  finish->add_option("--revocation-list", finishing->lists, "of each authority, newest")
      ->type_name("FILE")
      ->required();
}

}  // namespace sluice::cli
