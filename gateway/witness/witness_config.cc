#include "gateway/witness/witness_config.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/yaml.h"
#include "gateway/http/http_server.h"

namespace sluice::witness {
namespace {

class WitnessReader {
 public:
  explicit WitnessReader(std::string folder) : folder_(std::move(folder)) {}

  void Top(YamlMap map, WitnessConfig& config) const {
    const YamlNode listen = map.Required("listen");
    config.listen = listen.AsString();
    config.key = Path(map.Required("key"));
    config.state = Path(map.Required("state"));
    ReadLogs(map.Required("logs"), config);
    if (const YamlNode tls = map.Optional("tls"); tls.present()) ReadTls(tls.AsMap(), config.tls);
    if (listen.present() && !http::IsAddress(config.listen))
      listen.Fail("must be an IP address and a port, such as 0.0.0.0:8451");
    else if (listen.present() && !config.tls && !http::IsLoopback(config.listen))
      listen.Fail("must be a loopback address, such as 127.0.0.1:8451, where there is no tls");
    map.RefuseOthers();
  }

 private:
  std::string Path(const YamlNode& node) const {
    const std::string path = node.AsString();
    return path.empty() ? path : JoinPath(folder_, path);
  }

  static void ReadLogs(const YamlNode& node, WitnessConfig& config) {
    std::set<std::string> origins;
    for (const std::string& text : node.AsStrings()) {
      auto key = audit::ParseVerifierKey(text);
      if (!key.ok() || key->type != audit::KeyType::kEd25519) {
        node.Fail(absl::StrCat("\"", text, "\" is no log's verifier key, such as log.vkey has"));
        continue;
      }
      if (!origins.insert(key->name).second)
        node.Fail(absl::StrCat("the log ", key->name, " stands here twice"));
      config.logs.push_back(*std::move(key));
    }
    if (node.present() && node.AsStrings().empty())
      node.Fail("must name at least one log, or there is nothing to witness");
  }

  void ReadTls(YamlMap map, std::optional<WitnessConfig::Tls>& out) const {
    WitnessConfig::Tls& tls = out.emplace();
    const YamlNode domain = map.Required("trust_domain");
    tls.trust_domain = domain.AsString();
    if (domain.present() && !certs::IsTrustDomain(tls.trust_domain))
      domain.Fail("must be a trust domain, such as gov.example");
    const YamlNode witness = map.Required("witness");
    tls.witness = witness.AsString();
    if (witness.present() && !certs::IsId(tls.witness))
      witness.Fail("must be the witness's name, such as archive, as its certificate says");
    tls.certificate = Path(map.Required("certificate"));
    tls.key = Path(map.Required("key"));
    if (const YamlNode clients = map.Optional("clients"); clients.present())
      ReadClients(clients.AsMap(), tls);
    map.RefuseOthers();
  }

  void ReadClients(YamlMap map, WitnessConfig::Tls& tls) const {
    WitnessConfig::Clients& clients = tls.clients.emplace();
    const YamlNode gateways = map.Required("gateways");
    for (std::string& name : gateways.AsStrings()) {
      if (!certs::IsId(name)) gateways.Fail("\"" + name + "\" is no gateway's name, such as gw1");
      clients.gateways.insert(std::move(name));
    }
    if (gateways.present() && clients.gateways.empty())
      gateways.Fail("must name at least one gateway, or nobody could hand in a head");
    clients.authorities.trust_domain = tls.trust_domain;
    const YamlNode authorities = map.Required("authorities");
    for (const YamlNode& node : authorities.AsList()) {
      YamlMap one = node.AsMap();
      certs::FileVerifierOptions::Authority authority;
      authority.certificates = Path(one.Required("certificate"));
      authority.revocation_list = Path(one.Required("revocation_list"));
      one.RefuseOthers();
      clients.authorities.authorities.push_back(std::move(authority));
    }
    if (authorities.present() && clients.authorities.authorities.empty())
      authorities.Fail("must name at least one authority, or nobody could hand in a head");
    map.RefuseOthers();
  }

  const std::string folder_;
};

}  // namespace

absl::StatusOr<WitnessConfig> ParseWitnessConfig(std::string_view text, const std::string& file) {
  const YamlDocument document = YamlDocument::Parse(text, file);
  WitnessConfig config;
  if (document.errors().empty())
    WitnessReader(DirectoryOf(file)).Top(document.root().AsMap(), config);
  SLUICE_RETURN_IF_ERROR(document.status());
  return config;
}

absl::StatusOr<WitnessConfig> LoadWitnessConfig(const std::string& file, FileSystem& files) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, files.ReadAll(file, 1 << 20));
  SLUICE_ASSIGN_OR_RETURN(WitnessConfig config, ParseWitnessConfig(text, file));
  const auto info = files.Stat(config.key);
  if (!info.ok())
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": key: ", std::string(info.status().message())));
  if ((info->mode & 0077) != 0)
    return absl::InvalidArgumentError(absl::StrCat(
        file, ": key: ", config.key, ": others may read it; run: chmod 600 ", config.key));
  return config;
}

}  // namespace sluice::witness
