// sluice init: a whole new deployment in one folder, or nothing. Everything is made in a folder
// beside it, which takes its name in the end.
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "certs/authority.h"
#include "certs/key.h"
#include "cli/commands.h"
#include "cli/init_texts.h"
#include "cli/words.h"
#include "gateway/audit/signing_key.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr Micros kLeafLife = 90 * kDay;
// As long as the certificates: a first list that ran out in a week would stop a gateway whose
// operator is still finding the way.
constexpr Micros kListLife = 90 * kDay;

struct InitOptions {
  std::string folder;
  bool sample = false;
  std::string listen = "localhost:8443";
  std::string gateway;
  std::string trust_domain;
  std::string bureau = "data-bureau";
};

bool IsIpAddress(const std::string& host) {
  return host.find(':') != std::string::npos ||
         host.find_first_not_of("0123456789.") == std::string::npos;
}

absl::StatusOr<Deployment> Plan(const InitOptions& options, const Clock& clock) {
  const size_t colon = options.listen.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == options.listen.size())
    return UsageError("--listen is host:port.", "--listen gw1.gov.example:8443");
  Deployment plan;
  plan.host = options.listen.substr(0, colon);
  plan.port = options.listen.substr(colon + 1);
  if (plan.host.starts_with('[') && plan.host.ends_with(']'))
    plan.host = plan.host.substr(1, plan.host.size() - 2);
  const bool local = plan.host == "localhost" || IsIpAddress(plan.host);
  // A name is what callers dial; behind it may be any interface.
  plan.listen = local ? options.listen : "0.0.0.0:" + plan.port;
  const size_t dot = plan.host.find('.');
  const bool named = !local && dot != std::string::npos;
  plan.gateway = !options.gateway.empty() ? options.gateway
                 : named                  ? plan.host.substr(0, dot)
                                          : "gw1";
  plan.trust_domain = !options.trust_domain.empty() ? options.trust_domain
                      : named                       ? plan.host.substr(dot + 1)
                                                    : "gov.example";
  if (!certs::IsId(plan.gateway))
    return UsageError("--gateway is an id: 1 to 63 of a-z, 0-9 and inner hyphens.",
                      "--gateway gw1");
  if (!certs::IsTrustDomain(plan.trust_domain))
    return UsageError("--trust-domain is a domain in lower case.", "--trust-domain gov.example");
  if (!certs::IsId(options.bureau))
    return UsageError("--agency is an id: 1 to 63 of a-z, 0-9 and inner hyphens.",
                      "--agency data-bureau");
  std::string folder = std::filesystem::absolute(options.folder).lexically_normal().string();
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  plan.folder = std::move(folder);
  plan.bureau = options.bureau;
  plan.sample = options.sample;
  plan.now = clock.Now();
  plan.list_until = (plan.now + kListLife) / kSecond * kSecond;
  return plan;
}

// Writes one deployment into `root`, which is not yet where the plan says.
class Writer {
 public:
  Writer(Environment& environment, const Deployment& plan, std::string root)
      : environment_(environment), files_(environment.files), plan_(plan), root_(std::move(root)) {}

  absl::Status Write() {
    for (const char* folder : {"ca", "tls", "keys/details", "state", "derived", "audit", "profiles",
                               "sources", "datasets", "grants"})
      SLUICE_RETURN_IF_ERROR(files_.CreateDirectories(Path(folder), 0700));
    SLUICE_RETURN_IF_ERROR(WriteCertificates());
    SLUICE_RETURN_IF_ERROR(WriteKeys());
    SLUICE_RETURN_IF_ERROR(Put("sluiced.yaml", ConfigText(plan_), 0600));
    SLUICE_RETURN_IF_ERROR(Put("seed.yaml", SeedText(plan_), 0600));
    if (plan_.sample)
      for (const SampleFile& file : SampleFiles(plan_))
        SLUICE_RETURN_IF_ERROR(Put(file.path, file.text, 0644));
    return absl::OkStatus();
  }
  const audit::VerifierKey& log_key() const { return log_key_; }
  const certs::Names& names() const { return names_; }

 private:
  absl::Status WriteCertificates() {
    certs::AuthorityOptions options;
    options.common_name = "Sluice root of " + plan_.trust_domain;
    options.trust_domain = plan_.trust_domain;
    options.list_valid_for = kListLife;
    SLUICE_ASSIGN_OR_RETURN(const auto authority,
                            certs::Authority::CreateRoot(files_, environment_.clock,
                                                         environment_.random, Path("ca"), options));
    // Copies, so that ca/ can leave the machine.
    SLUICE_RETURN_IF_ERROR(Put("tls/authority.pem", authority->ChainPem(), 0644));
    SLUICE_RETURN_IF_ERROR(Put("tls/revocation.pem", authority->list().ToPem(), 0644));

    SLUICE_ASSIGN_OR_RETURN(
        names_.identity,
        certs::MakeSpiffeId(plan_.trust_domain, certs::Kind::kGateway, "", plan_.gateway));
    (IsIpAddress(plan_.host) ? names_.ip_addresses : names_.dns_names).push_back(plan_.host);
    if (plan_.host == "localhost") names_.ip_addresses.push_back("127.0.0.1");
    SLUICE_RETURN_IF_ERROR(WritePair(*authority, names_, "tls"));
    for (const FirstParty& party : FirstParties(plan_)) {
      certs::Names names;
      SLUICE_ASSIGN_OR_RETURN(
          names.identity,
          certs::MakeSpiffeId(plan_.trust_domain,
                              party.is_system ? certs::Kind::kSystem : certs::Kind::kPerson,
                              party.agency, party.name));
      SLUICE_RETURN_IF_ERROR(WritePair(*authority, names, "profiles/" + party.profile));
      SLUICE_RETURN_IF_ERROR(
          Put("profiles/" + party.profile + ".yaml", ProfileText(plan_, party), 0644));
    }
    return absl::OkStatus();
  }

  absl::Status WritePair(certs::Authority& authority, const certs::Names& names,
                         const std::string& folder) {
    SLUICE_ASSIGN_OR_RETURN(const certs::PrivateKey key, certs::PrivateKey::Generate());
    SLUICE_ASSIGN_OR_RETURN(const certs::Request request, certs::Request::Make(key, names));
    SLUICE_ASSIGN_OR_RETURN(const certs::Certificate certificate,
                            authority.Sign(request, {names, kLeafLife}));
    SLUICE_RETURN_IF_ERROR(files_.CreateDirectories(Path(folder), 0700));
    SLUICE_RETURN_IF_ERROR(Put(folder + "/key.pem", key.ToPem(), 0600));
    return Put(folder + "/certificate.pem", certificate.ToPem(), 0644);
  }

  absl::Status WriteKeys() {
    SLUICE_ASSIGN_OR_RETURN(const audit::NamedSigningKey log_key,
                            audit::MakeSigningKey(plan_.Origin(), environment_.random.Bytes(32)));
    log_key_ = log_key.verifier;
    SLUICE_RETURN_IF_ERROR(Put("log.key", audit::FormatSigningKey(log_key), 0600));
    SLUICE_RETURN_IF_ERROR(Put("log.vkey", audit::FormatVerifierKey(log_key_) + "\n", 0644));
    return Put("keys/subjects.key", HexEncode(environment_.random.Bytes(32)) + "\n", 0600);
  }

  std::string Path(std::string_view name) const { return JoinPath(root_, name); }
  absl::Status Put(const std::string& name, std::string_view text, uint32_t mode) {
    return files_.WriteAtomically(Path(name), text, mode);
  }

  Environment& environment_;
  FileSystem& files_;
  const Deployment& plan_;
  const std::string root_;
  audit::VerifierKey log_key_;
  certs::Names names_;
};

std::string Told(const Deployment& plan, const Writer& writer) {
  std::vector<std::string> names;
  for (const auto& name : writer.names().dns_names) names.push_back("DNS " + name);
  for (const auto& address : writer.names().ip_addresses) names.push_back("IP " + address);
  std::vector<std::string> profiles;
  for (const FirstParty& party : FirstParties(plan)) profiles.push_back(party.profile + ".yaml");
  const std::string key = audit::FormatVerifierKey(writer.log_key());
  std::string out =
      absl::StrCat("wrote ", plan.folder, " (0700)\n",
                   "  sluiced.yaml   every setting with its default and a comment\n",
                   "  tls/           gateway certificate, 90 days, ", absl::StrJoin(names, ", "),
                   "\n", "                 revocation list, until ", FormatUtc(plan.list_until),
                   "\n", "  log.key        signs the log            log.vkey  ", key, "\n",
                   "                 give log.vkey to every auditor; on paper: ",
                   audit::PaperForm(writer.log_key()), "\n",
                   "  keys/          names data subjects in the log: lost keys end \"who saw X\"\n",
                   "  ca/            SECRET, signs systems; move it to another machine (certs sign "
                   "runs there)\n",
                   "  seed.yaml      the first authority, operator and purposes",
                   plan.sample ? ", and the sample" : "", "\n", "  profiles/      ",
                   absl::StrJoin(profiles, " "), plan.sample ? "   (sample keys)" : "", "\n");
  if (plan.sample)
    absl::StrAppend(&out, "  sources/ datasets/ grants/   sample, synthetic     audit/   empty\n");
  const std::string config = ShellQuoted(plan.folder + "/sluiced.yaml");
  const std::string profile = ShellQuoted(
      absl::StrCat(plan.folder, "/profiles/", plan.sample ? "relief" : "operator", ".yaml"));
  absl::StrAppend(&out, "next  sluiced --config ", config, " --check && sluiced --config ", config,
                  "\n", "      sluice --profile ", profile, " whoami\n");
  return out;
}

absl::Status RefuseUnlessEmpty(FileSystem& files, const std::string& folder) {
  if (!files.Stat(folder).ok()) return absl::OkStatus();
  const auto names = files.List(folder);
  if (names.ok() && names->empty()) return absl::OkStatus();
  return LocalError("NOT_EMPTY", absl::StrCat(folder, " exists and is not an empty folder."), {},
                    "sluice init ANOTHER-DIR; nothing is ever written over", kFailed);
}

absl::Status Init(Session& session, const InitOptions& options) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(const Deployment plan, Plan(options, environment.clock));
  SLUICE_RETURN_IF_ERROR(RefuseUnlessEmpty(environment.files, plan.folder));
  SLUICE_RETURN_IF_ERROR(environment.files.CreateDirectories(DirectoryOf(plan.folder), 0755));
  const std::string root =
      absl::StrCat(plan.folder, ".new-", HexEncode(environment.random.Bytes(6)));
  Writer writer(environment, plan, root);
  absl::Status status = environment.files.CreateDirectories(root, 0700);
  if (status.ok()) status = writer.Write();
  // Onto an empty folder at most: rename refuses any other.
  if (status.ok()) status = environment.files.Rename(root, plan.folder);
  if (status.ok()) status = environment.files.SyncDirectory(DirectoryOf(plan.folder));
  if (!status.ok()) {
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
    return Annotate(status, "nothing was written");
  }
  environment.out << Told(plan, writer);
  return absl::OkStatus();
}

}  // namespace

void AddInitCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* init = app.add_subcommand("init", "write a new deployment into a folder");
  init->add_option("folder", options->folder, "new or empty")->type_name("DIR")->required();
  init->add_flag("--sample", options->sample, "also sample agencies, a system, sources and grants");
  init->add_option("--listen", options->listen, "HOST:PORT that callers dial (localhost:8443)");
  init->add_option("--gateway", options->gateway,
                   "the gateway's id (the host's first label, or gw1)");
  init->add_option("--trust-domain", options->trust_domain,
                   "of all names (the host's domain, or gov.example)");
  init->add_option("--agency", options->bureau,
                   "of the first authority and operator (data-bureau)");
  init->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Init(session, *options); };
  });
}

}  // namespace sluice::cli
