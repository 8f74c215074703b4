#include "gateway/adapter_config.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/base/yaml.h"
#include "gateway/config_files.h"

namespace sluice {
namespace {

constexpr uint64_t kMostText = 1 << 20;
// The gateways that call have breakers of their own, so this one lets a call through soon.
constexpr int kBreakerFailures = 5;
constexpr int64_t kBreakerOpenMs = 1'000;

class AdapterReader {
 public:
  AdapterReader(std::string folder, const std::vector<adapters::Kind>& kinds)
      : folder_(std::move(folder)), kinds_(kinds) {}

  void Top(YamlMap map, AdapterConfig& config) const {
    ReadIdentity(map, config.pair.identity);
    config.authorities.trust_domain = config.pair.identity.trust_domain;
    const YamlNode listen = map.Required("listen");
    config.listen = listen.AsString();
    if (listen.present() && config.listen.find(':') == std::string::npos)
      listen.Fail("must be host:port, such as 0.0.0.0:9443");
    config.pair.run_directory = Path(map.Optional("run"), "state/adapter");
    const YamlNode gateways = map.Required("gateways");
    for (std::string& name : gateways.AsStrings()) {
      if (!certs::IsId(name)) gateways.Fail("\"" + name + "\" is no gateway's name, such as gw1");
      config.gateways.insert(std::move(name));
    }
    if (gateways.present() && config.gateways.empty())
      gateways.Fail("must name at least one gateway, or nobody could call");
    ReadTls(map.Required("tls").AsMap(), config);
    ReadSources(map.Required("sources"), config);
    ReadLimits(map.Optional("limits").AsMap(), config.limits);
    map.RefuseOthers();
  }

 private:
  std::string Path(const YamlNode& node, std::string_view otherwise = "") const {
    const std::string path = node.AsString(otherwise);
    return path.empty() ? path : JoinPath(folder_, path);
  }

  static void ReadIdentity(YamlMap& map, certs::SpiffeId& identity) {
    const YamlNode domain = map.Required("trust_domain");
    identity.trust_domain = domain.AsString();
    if (domain.present() && !certs::IsTrustDomain(identity.trust_domain))
      domain.Fail("must be a trust domain, such as gov.example");
    const YamlNode adapter = map.Required("adapter");
    const std::string name = adapter.AsString();
    const size_t slash = name.find('/');
    identity.kind = certs::Kind::kAdapter;
    identity.agency = name.substr(0, slash);
    if (slash != std::string::npos) identity.name = name.substr(slash + 1);
    if (adapter.present() && (!certs::IsId(identity.agency) || !certs::IsId(identity.name)))
      adapter.Fail("must be AGENCY/NAME, as its certificate says");
  }

  void ReadTls(YamlMap map, AdapterConfig& config) const {
    config.pair.certificate = Path(map.Required("certificate"));
    config.pair.key = Path(map.Required("key"));
    const YamlNode authorities = map.Required("authorities");
    for (const YamlNode& node : authorities.AsList()) {
      YamlMap one = node.AsMap();
      certs::FileVerifierOptions::Authority authority;
      authority.certificates = Path(one.Required("certificate"));
      authority.revocation_list = Path(one.Required("revocation_list"));
      one.RefuseOthers();
      config.authorities.authorities.push_back(std::move(authority));
    }
    if (authorities.present() && config.authorities.authorities.empty())
      authorities.Fail("must name at least one authority, or nobody could call");
    map.RefuseOthers();
  }

  void ReadSources(const YamlNode& node, AdapterConfig& config) const {
    YamlMap map = node.AsMap();
    for (const std::string& id : map.keys()) {
      const YamlNode source = map.Required(id);
      if (!certs::IsId(id)) source.Fail("a source's id is 1 to 63 of a-z, 0-9 and inner hyphens");
      config.sources.emplace(id, ReadSource(id, source.AsMap()));
    }
    if (node.present() && config.sources.empty()) node.Fail("must name at least one source");
  }

  v1::Source ReadSource(const std::string& id, YamlMap map) const {
    v1::Source source;
    source.set_id(id);
    const YamlNode kind = map.Required("kind");
    source.set_kind(kind.AsString());
    ReadSourceLimits(map.Optional("limits").AsMap(), *source.mutable_limits());
    // All other keys are settings of the kind, as in the YAML of a gateway's source.
    adapters::Settings settings;
    for (const std::string& name : map.keys()) {
      if (name == "kind" || name == "limits") continue;
      settings[name] = map.Optional(name).AsString();
      (*source.mutable_settings())[name] = settings[name];
    }
    const adapters::Kind* known = adapters::FindKind(kinds_, source.kind());
    if (kind.present() && known == nullptr) {
      const auto names = [](std::string* out, const adapters::Kind& one) { *out += one.name; };
      kind.Fail("must be one of: " + absl::StrJoin(kinds_, ", ", names));
    } else if (known != nullptr) {
      if (const absl::Status status = known->check(settings); !status.ok())
        kind.Fail(std::string(status.message()));
    }
    return source;
  }

  static void ReadSourceLimits(YamlMap map, v1::SourceLimits& limits) {
    limits.set_connections(static_cast<int32_t>(map.Optional("connections").AsInt(4, 1, 64)));
    limits.set_queue(static_cast<int32_t>(map.Optional("queue").AsInt(64, 1, 10'000)));
    limits.set_breaker_failures(kBreakerFailures);
    limits.set_breaker_open_ms(kBreakerOpenMs);
    map.RefuseOthers();
  }

  static void ReadLimits(YamlMap map, AdapterConfig::Limits& limits) {
    limits.default_deadline =
        map.Optional("default_deadline").AsDuration(limits.default_deadline, kSecond, kHour);
    limits.max_scan = map.Optional("max_scan").AsDuration(limits.max_scan, kMinute, kDay);
    limits.streams_per_connection = static_cast<int>(
        map.Optional("streams_per_connection").AsInt(limits.streams_per_connection, 1, 1'000'000));
    limits.connection_age =
        map.Optional("connection_age").AsDuration(limits.connection_age, kMinute, kDay);
    limits.drain = map.Optional("drain").AsDuration(limits.drain, kSecond, kHour);
    limits.drain_notice = map.Optional("drain_notice").AsDuration(limits.drain_notice, 0, kMinute);
    map.RefuseOthers();
  }

  const std::string folder_;
  const std::vector<adapters::Kind>& kinds_;
};

}  // namespace

absl::StatusOr<AdapterConfig> ParseAdapterConfig(std::string_view text, const std::string& file,
                                                 const std::vector<adapters::Kind>& kinds) {
  const YamlDocument document = YamlDocument::Parse(text, file);
  AdapterConfig config;
  if (document.errors().empty())
    AdapterReader(DirectoryOf(file), kinds).Top(document.root().AsMap(), config);
  SLUICE_RETURN_IF_ERROR(document.status());
  return config;
}

absl::StatusOr<AdapterConfig> LoadAdapterConfig(const std::string& file, FileSystem& files,
                                                const std::vector<adapters::Kind>& kinds) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, files.ReadAll(file, kMostText));
  SLUICE_ASSIGN_OR_RETURN(AdapterConfig config, ParseAdapterConfig(text, file, kinds));
  std::vector<std::string> mistakes;
  CheckFile(files, "tls.certificate", config.pair.certificate, false, mistakes);
  CheckFile(files, "tls.key", config.pair.key, true, mistakes);
  for (size_t i = 0; i < config.authorities.authorities.size(); ++i) {
    const auto& authority = config.authorities.authorities[i];
    const std::string place = absl::StrCat("tls.authorities[", i, "].");
    CheckFile(files, place + "certificate", authority.certificates, false, mistakes);
    CheckFile(files, place + "revocation_list", authority.revocation_list, false, mistakes);
  }
  if (mistakes.empty()) return config;
  for (std::string& mistake : mistakes) mistake = absl::StrCat(file, ": ", mistake);
  return absl::InvalidArgumentError(absl::StrJoin(mistakes, "\n"));
}

}  // namespace sluice
