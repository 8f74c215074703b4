// sluice certs request|sign|renew|revoke|publish|show: certificates, thinly over certs/
// (docs/certificates.md).
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "certs/authority.h"
#include "certs/request.h"
#include "cli/certs_show.h"
#include "cli/commands.h"
#include "cli/methods.h"
#include "cli/named_file.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostPem = 4 << 20;

struct CertsOptions {
  std::string name, trust_domain;
  std::vector<std::string> dns_names, ip_addresses;
  std::string folder = ".";
  std::string request, authority, output, serial, reason = "unspecified", file;
  int days = 90;
  bool renew_list = false;
};

absl::StatusOr<certs::Names> NamesOf(const CertsOptions& options) {
  if (!options.name.starts_with("spiffe://") && options.trust_domain.empty())
    return UsageError(absl::StrCat("\"", options.name, "\" is a name of which trust domain?"),
                      absl::StrCat("--trust-domain gov.example, or the whole name: spiffe://"
                                   "gov.example/",
                                   options.name));
  const std::string uri = options.name.starts_with("spiffe://")
                              ? options.name
                              : absl::StrCat("spiffe://", options.trust_domain, "/", options.name);
  const auto identity = certs::ParseSpiffeId(uri);
  if (!identity.ok())
    return UsageError(absl::StrCat("\"", uri, "\": ", std::string(identity.status().message())),
                      "spiffe://gov.example/agency/civil-affairs/system/relief");
  certs::Names names{*identity, options.dns_names, options.ip_addresses};
  SLUICE_RETURN_IF_ERROR(certs::CheckNames(names));
  return names;
}

absl::StatusOr<std::unique_ptr<certs::Authority>> OpenAuthority(Session& session,
                                                                const CertsOptions& options) {
  Environment& environment = session.environment;
  return certs::Authority::Open(environment.files, environment.clock, environment.random,
                                options.authority);
}

absl::StatusOr<certs::Request> ReadRequest(Session& session, const CertsOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const std::string pem,
                          ReadNamedFile(session.environment.files, options.request, kMostPem));
  return certs::Request::FromPem(pem, options.request);
}

// The certificate, and authorities between it and the root, which peers do not know otherwise.
absl::Status WriteCertificate(Session& session, const certs::Authority& authority,
                              const certs::Certificate& certificate, const std::string& path) {
  std::string pem = certificate.ToPem();
  for (const certs::Certificate& above : authority.chain())
    if (!above.is_self_signed()) pem += above.ToPem();
  SLUICE_RETURN_IF_ERROR(session.environment.files.WriteAtomically(path, pem, 0644));
  session.environment.out << "wrote " << path << "  " << absl::StrJoin(certificate.uris(), " ")
                          << "\n      serial " << certificate.serial() << ", until "
                          << FormatUtc(certificate.not_after()) << "\n";
  return absl::OkStatus();
}

absl::Status RunRequest(Session& session, const CertsOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const certs::Names names, NamesOf(options));
  const std::string key = JoinPath(options.folder, "key.pem");
  const std::string request = JoinPath(options.folder, "request.pem");
  SLUICE_RETURN_IF_ERROR(
      certs::CreateRequest(session.environment.files, key, request, names).status());
  std::string sign =
      absl::StrCat("sluice certs sign ", ShellQuoted(request), " --as ", names.identity.Format());
  for (const std::string& name : names.dns_names) absl::StrAppend(&sign, " --dns ", name);
  for (const std::string& address : names.ip_addresses) absl::StrAppend(&sign, " --ip ", address);
  session.environment.out << "wrote " << key << "  the private key (0600): it stays here\n"
                          << "wrote " << request << "  " << names.identity.Format() << "\n"
                          << "next  where the authority is: " << sign << " --ca DIR -o "
                          << "certificate.pem\n";
  return absl::OkStatus();
}

absl::Status RunSign(Session& session, const CertsOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const certs::Names names, NamesOf(options));
  SLUICE_ASSIGN_OR_RETURN(const certs::Request request, ReadRequest(session, options));
  SLUICE_ASSIGN_OR_RETURN(const auto authority, OpenAuthority(session, options));
  SLUICE_ASSIGN_OR_RETURN(const certs::Certificate certificate,
                          authority->Sign(request, {names, options.days * kDay}));
  return WriteCertificate(session, *authority, certificate, options.output);
}

absl::Status RunRenew(Session& session, const CertsOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const certs::Request request, ReadRequest(session, options));
  SLUICE_ASSIGN_OR_RETURN(const auto authority, OpenAuthority(session, options));
  SLUICE_ASSIGN_OR_RETURN(const certs::Certificate certificate,
                          authority->Renew(options.serial, request, options.days * kDay));
  return WriteCertificate(session, *authority, certificate, options.output);
}

absl::StatusOr<certs::RevocationList> NewList(certs::Authority& authority,
                                              const CertsOptions& options) {
  if (options.renew_list) return authority.RenewList();
  const auto reason = certs::RevocationReasonFromName(options.reason);
  if (!reason)
    return UsageError(absl::StrCat("\"", options.reason, "\" is no reason for a revocation."),
                      "--reason unspecified|key-compromise|authority-compromise|"
                      "affiliation-changed|superseded|cessation-of-operation");
  return authority.Revoke(options.serial, *reason);
}

absl::Status RunRevoke(Session& session, const CertsOptions& options) {
  if (options.serial.empty() != options.renew_list)
    return UsageError("name the serial to revoke, or ask for --renew-list.",
                      "sluice certs revoke SERIAL --ca DIR");
  SLUICE_ASSIGN_OR_RETURN(const auto authority, OpenAuthority(session, options));
  SLUICE_ASSIGN_OR_RETURN(const certs::RevocationList list, NewList(*authority, options));
  const std::string path = JoinPath(options.authority, "crl.pem");
  session.environment.out << "wrote " << path << "  list " << list.number() << ", " << list.size()
                          << " revoked, until " << FormatUtc(list.next_update())
                          << "\nnext  for each gateway, which does not know until then: "
                          << "sluice certs publish " << ShellQuoted(path) << "\n";
  return absl::OkStatus();
}

absl::Status RunPublish(Session& session, const CertsOptions& options) {
  v1::PublishRevocationListRequest request;
  SLUICE_ASSIGN_OR_RETURN(*request.mutable_pem(),
                          ReadNamedFile(session.environment.files, options.file, kMostPem));
  // Refused here where it is none: a mistaken file, such as a key, does not leave the machine.
  SLUICE_RETURN_IF_ERROR(certs::RevocationList::FromPem(request.pem(), options.file).status());
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kPublishRevocationList, request));
  const v1::RevocationList& list = response.list();
  session.PrintOne({{"authority", list.authority()},
                    {"list", absl::StrCat(list.number(), ", ", list.revoked(), " revoked")},
                    {"until", FormatTime(ToMicros(list.next_update()), session.environment.zone)}},
                   list);
  return absl::OkStatus();
}

void AddNames(CLI::App* command, const std::shared_ptr<CertsOptions>& options) {
  command->add_option("--dns", options->dns_names, "DNS name, for gateways and witnesses")
      ->allow_extra_args(false);
  command->add_option("--ip", options->ip_addresses, "IP address, for gateways and witnesses")
      ->allow_extra_args(false);
  command->add_option("--trust-domain", options->trust_domain,
                      "where the name is not a whole spiffe:// URI");
}

void AddSigning(CLI::App* command, const std::shared_ptr<CertsOptions>& options) {
  command->add_option("request", options->request, "as certs request writes it")
      ->type_name("FILE")
      ->required();
  command->add_option("--ca", options->authority, "the authority's folder")
      ->type_name("DIR")
      ->required();
  command->add_option("-o,--output", options->output, "where the certificate goes")
      ->type_name("FILE")
      ->required();
  command->add_option("--days", options->days, "how long it is good (90)")
      ->check(CLI::Range(1, 366));
}

}  // namespace

void AddCertsCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* certs = app.add_subcommand("certs", "certificates: who a party is");
  certs->require_subcommand(1);
  auto options = std::make_shared<CertsOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const CertsOptions&)) {
    CLI::App* command = certs->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  };
  CLI::App* request =
      add("request", "make a private key and a request for its certificate", RunRequest);
  request
      ->add_option("name", options->name,
                   "spiffe://… or agency/A/system/S, agency/A/person/P, gateway/G")
      ->required();
  AddNames(request, options);
  request->add_option("--dir", options->folder, "for key.pem and request.pem (.)")
      ->type_name("DIR");
  CLI::App* sign = add("sign", "sign a request, where the authority is", RunSign);
  AddSigning(sign, options);
  sign->add_option("--as", options->name, "the name that it shall carry")->required();
  AddNames(sign, options);
  CLI::App* renew = add("renew", "sign the same names again for a new request", RunRenew);
  AddSigning(renew, options);
  renew->add_option("--serial", options->serial, "of the certificate before")->required();
  CLI::App* revoke = add("revoke", "end a certificate, and write a new revocation list", RunRevoke);
  revoke->add_option("serial", options->serial, "as sluice certs show writes it");
  revoke->add_option("--ca", options->authority, "the authority's folder")
      ->type_name("DIR")
      ->required();
  revoke->add_option("--reason", options->reason, "such as key-compromise");
  revoke->add_flag("--renew-list", options->renew_list,
                   "only a new list, before the old one runs out");
  CLI::App* publish = add("publish", "bring a revocation list to the gateway", RunPublish);
  publish->add_option("list", options->file, "crl.pem")->type_name("FILE")->required();
  CLI::App* show = add("show", "what is in a certificate, request, list or authority's folder",
                       [](Session& session, const CertsOptions& chosen) {
                         return ShowCertificates(session, chosen.file);
                       });
  show->add_option("file", options->file, "or an authority's folder")
      ->type_name("FILE")
      ->required();
}

}  // namespace sluice::cli
