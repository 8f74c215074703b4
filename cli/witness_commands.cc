// sluice witness init|serve|check: an independent party that cosigns heads, and whether those who
// did are enough (docs/witness.md).
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/named_file.h"
#include "gateway/audit/signing_key.h"
#include "gateway/audit/tlog_policy.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/witness/witness_server.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostKeyFile = 4096;
constexpr uint64_t kMostHeadFile = 1 << 20;

struct WitnessCommandOptions {
  std::string folder, name, listen = "127.0.0.1:8451";
  std::vector<std::string> logs;
  std::string config;
  bool check = false;
  std::string head, policy;
};

absl::StatusOr<std::vector<std::string>> ReadLogKeys(Session& session,
                                                     const std::vector<std::string>& paths) {
  std::vector<std::string> keys;
  for (const std::string& path : paths) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text,
                            ReadNamedFile(session.environment.files, path, kMostKeyFile));
    const absl::string_view stripped = absl::StripAsciiWhitespace(text);
    const auto key = audit::ParseVerifierKey({stripped.data(), stripped.size()});
    if (!key.ok() || key->type != audit::KeyType::kEd25519)
      return UsageError(absl::StrCat(path, " holds no log's verifier key."),
                        "the log.vkey of a gateway, which its operator gives out");
    keys.emplace_back(stripped);
  }
  return keys;
}

std::string WitnessConfigText(const WitnessCommandOptions& options,
                              const std::vector<std::string>& logs) {
  std::string text = absl::StrCat(
      "# A witness: sluice witness serve --config witness.yaml\n\n"
      "listen: ",
      options.listen,
      "  # IP address and port; without tls a loopback address\n"
      "key: witness.key            # cosigns; whoever has it can vouch for any history\n"
      "state: state                # the newest head of each log; never remove or restore it\n");
  if (logs.empty()) {
    absl::StrAppend(&text, "logs: []                    # the log.vkey of each, a line each\n");
  } else {
    absl::StrAppend(&text, "logs:\n");
    for (const std::string& log : logs) absl::StrAppend(&text, "  - ", log, "\n");
  }
  return absl::StrCat(
      text,
      "# tls:\n"
      "#   trust_domain: gov.example\n"
      "#   witness: archive        # its certificate is spiffe://gov.example/witness/archive\n"
      "#   certificate: tls/certificate.pem\n"
      "#   key: tls/key.pem\n"
      "#   clients:                # else the log's signature is all that is asked for\n"
      "#     gateways: [gw1]\n"
      "#     authorities:\n"
      "#       - {certificate: tls/authority.pem, revocation_list: tls/revocation.pem}\n");
}

absl::Status InitWitness(Session& session, const WitnessCommandOptions& options) {
  Environment& environment = session.environment;
  FileSystem& files = environment.files;
  const auto key = audit::MakeSigningKey(options.name, environment.random.Bytes(32),
                                         audit::KeyType::kCosignatureV1);
  if (!key.ok())
    return UsageError(absl::StrCat("--name: ", std::string(key.status().message()), "."),
                      "--name w1.gov.example/archive");
  SLUICE_ASSIGN_OR_RETURN(const auto logs, ReadLogKeys(session, options.logs));
  if (files.Stat(options.folder).ok()) {
    const auto names = files.List(options.folder);
    if (!names.ok() || !names->empty())
      return LocalError("NOT_EMPTY", absl::StrCat(options.folder, " exists and is not empty."), {},
                        "sluice witness init ANOTHER-DIR; nothing is ever written over", kFailed);
  }
  const auto path = [&](const char* name) { return JoinPath(options.folder, name); };
  SLUICE_RETURN_IF_ERROR(files.CreateDirectories(options.folder, 0700));
  SLUICE_RETURN_IF_ERROR(files.CreateDirectories(path("state"), 0700));
  SLUICE_RETURN_IF_ERROR(
      files.WriteAtomically(path("witness.key"), audit::FormatSigningKey(*key), 0600));
  const std::string vkey = audit::FormatVerifierKey(key->verifier);
  SLUICE_RETURN_IF_ERROR(files.WriteAtomically(path("witness.vkey"), vkey + "\n", 0644));
  SLUICE_RETURN_IF_ERROR(
      files.WriteAtomically(path("witness.yaml"), WitnessConfigText(options, logs), 0600));
  environment.out << "wrote " << options.folder << " (0700)\n"
                  << "  witness.yaml   " << logs.size() << (logs.size() == 1 ? " log" : " logs")
                  << ", " << options.listen << "\n"
                  << "  witness.key    SECRET, cosigns heads     witness.vkey  " << vkey << "\n"
                  << "                 give witness.vkey to the gateway's operator and to every "
                     "auditor; on paper: "
                  << audit::PaperForm(key->verifier) << "\n"
                  << "  state/         what was cosigned; never remove or restore it\n"
                  << "next  sluice witness serve --config " << path("witness.yaml") << "\n";
  return absl::OkStatus();
}

absl::Status WitnessRefused(const absl::Status& why) {
  return LocalError("START_REFUSED", std::string(why.message()), {}, "", kFailed);
}

absl::Status ServeWitness(Session& session, const WitnessCommandOptions& options) {
  Environment& environment = session.environment;
  if (options.check) {
    if (const absl::Status status =
            witness::WitnessServer::Check(options.config, environment.files, environment.clock);
        !status.ok())
      return WitnessRefused(status);
    environment.out << options.config << ": ok\n";
    return absl::OkStatus();
  }
  signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // also of the threads that begin now
  OperationalLog operations(STDERR_FILENO, environment.clock);
  const auto server = witness::WitnessServer::Start(options.config, environment.files,
                                                    environment.clock, operations);
  if (!server.ok()) return WitnessRefused(server.status());
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) continue;
  (*server)->Stop();
  operations.Write(Severity::kInfo, "witness_stopped", "cosigns no more");
  return absl::OkStatus();
}

absl::Status CheckHead(Session& session, const WitnessCommandOptions& options) {
  FileSystem& files = session.environment.files;
  SLUICE_ASSIGN_OR_RETURN(const std::string head,
                          ReadNamedFile(files, options.head, kMostHeadFile));
  SLUICE_ASSIGN_OR_RETURN(const std::string text,
                          ReadNamedFile(files, options.policy, kMostHeadFile));
  const auto policy = audit::ParseTlogPolicy(text, options.policy);
  if (!policy.ok()) return LocalError("POLICY_INVALID", std::string(policy.status().message()));
  const auto verdict = audit::Judge(head, *policy);
  if (!verdict.ok())
    return LocalError("HEAD_BROKEN",
                      absl::StrCat(options.head, ": ", std::string(verdict.status().message())));
  std::ostream& out = session.environment.out;
  out << "log      " << verdict->checkpoint.origin << "\n"
      << "records  " << verdict->checkpoint.size << "\n"
      << "root     " << Base64Encode(AsBytes(verdict->checkpoint.root)) << "\n";
  for (const audit::Cosignature& one : verdict->cosignatures)
    out << "witness  " << one.name << " saw it at "
        << FormatUtc(static_cast<Micros>(one.seconds) * kSecond) << "\n";
  for (const std::string& name : verdict->missing)
    out << "witness  " << name << " did not cosign it\n";
  if (verdict->quorum) {
    out << "quorum   " << (policy->quorum.empty() ? "none is needed" : policy->quorum) << "\n";
    return absl::OkStatus();
  }
  return LocalError("NO_QUORUM",
                    absl::StrCat("those who cosigned it are not \"", policy->quorum, "\" of ",
                                 options.policy, "."),
                    {}, "ask the witnesses that are missing for their newest head", kFailed);
}

}  // namespace

void AddWitnessCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group =
      app.add_subcommand("witness", "an independent party that cosigns heads of logs");
  group->require_subcommand(1);
  const auto options = std::make_shared<WitnessCommandOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const WitnessCommandOptions&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  };
  CLI::App* init = add("init", "make a witness's key and configuration in a folder", InitWitness);
  init->add_option("folder", options->folder, "new or empty")->type_name("DIR")->required();
  init->add_option("--name", options->name, "of the key, such as w1.gov.example/archive")
      ->required();
  init->add_option("--log", options->logs, "the log.vkey of a log to witness; again for others")
      ->type_name("FILE");
  init->add_option("--listen", options->listen, "IP:PORT (127.0.0.1:8451)");
  CLI::App* serve = add("serve", "cosign what is handed in, until SIGTERM", ServeWitness);
  serve->add_option("--config", options->config, "witness.yaml")->type_name("FILE")->required();
  serve->add_flag("--check", options->check, "check configuration, keys and files, and end");
  CLI::App* check =
      add("check", "whether those who cosigned a head are enough; exit 1 if not", CheckHead);
  check->add_option("head", options->head, "a signed head")->type_name("FILE")->required();
  check->add_option("--policy", options->policy, "who must have cosigned (tlog-policy)")
      ->type_name("FILE")
      ->required();
}

}  // namespace sluice::cli
