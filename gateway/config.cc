#include "gateway/config.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/base/yaml.h"
#include "gateway/config_files.h"
#include "gateway/http/http_server.h"

namespace sluice {
namespace {

constexpr int64_t kMostCount = 1'000'000;

// Reads one section after the other; remembers where relative paths begin.
class Reader {
 public:
  explicit Reader(std::string folder) : folder_(std::move(folder)) {}

  std::string Path(const YamlNode& node, std::string_view otherwise = "") const {
    const std::string path = node.AsString(otherwise);
    return path.empty() ? path : JoinPath(folder_, path);
  }
  int Count(const YamlNode& node, int otherwise) const {
    return static_cast<int>(node.AsInt(otherwise, 1, kMostCount));
  }

  void Top(YamlMap map, Config& config) const {
    config.gateway = map.Required("gateway").AsString();
    config.trust_domain = map.Required("trust_domain").AsString();
    const YamlNode listen = map.Required("listen");
    config.listen = listen.AsString();
    if (listen.present() && config.listen.find(':') == std::string::npos)
      listen.Fail("must be host:port, such as 0.0.0.0:8443");
    config.store = Path(map.Optional("store"), "state/control.db");
    config.seed = Path(map.Optional("seed"));
    config.run_directory = Path(map.Optional("run"), "state/run");
    ReadTls(map.Required("tls").AsMap(), config.tls);
    ReadAudit(map.Required("audit").AsMap(), config.audit);
    ReadSharing(map.Optional("sharing").AsMap(), config.sharing);
    ReadCatalogue(map.Optional("catalogue").AsMap(), config.catalogue);
    ReadOperations(map.Optional("operations").AsMap(), config.operations);
    ReadLimits(map.Optional("limits").AsMap(), config.limits);
    map.RefuseOthers();
  }

 private:
  void ReadTls(YamlMap map, Config::Tls& tls) const {
    tls.certificate = Path(map.Required("certificate"));
    tls.key = Path(map.Required("key"));
    tls.crl_grace = map.Optional("crl_grace").AsDuration(0, 0, 30 * kDay);
    tls.handshake = map.Optional("handshake").AsDuration(10 * kSecond, kSecond, kMinute);
    const YamlNode authorities = map.Required("authorities");
    for (const YamlNode& node : authorities.AsList()) {
      YamlMap one = node.AsMap();
      AuthorityConfig authority;
      authority.certificate = Path(one.Required("certificate"));
      const YamlNode agencies = one.Required("agencies");
      authority.agencies = agencies.AsStrings();
      if (agencies.present() && authority.agencies.empty())
        agencies.Fail("must list the agencies that this authority may name, or \"*\" alone");
      authority.revocation_list = Path(one.Required("revocation_list"));
      one.RefuseOthers();
      tls.authorities.push_back(std::move(authority));
    }
    if (authorities.present() && tls.authorities.empty())
      authorities.Fail("must name at least one authority, or nobody could call");
    map.RefuseOthers();
  }

  void ReadAudit(YamlMap map, Config::Audit& audit) const {
    audit.directory = Path(map.Required("directory"));
    audit.origin = map.Required("origin").AsString();
    audit.signing_key = Path(map.Required("signing_key"));
    audit.kept_head = Path(map.Required("kept_head"));
    for (const std::string& place : map.Optional("heads_at").AsStrings()) {
      const bool url = place.find("://") != std::string::npos;
      audit.heads_at.push_back(url ? place : JoinPath(folder_, place));
    }
    audit.start_without_heads = map.Optional("start_without_heads").AsBool(false);
    audit.detail_keys = Path(map.Required("detail_keys"));
    audit.subject_key = Path(map.Required("subject_key"));
    audit.derived = Path(map.Required("derived"));
    audit.segment_bytes =
        map.Optional("segment").AsBytes(audit.segment_bytes, 1 << 20, int64_t{1} << 32);
    audit.head_interval = map.Optional("head_interval").AsDuration(kSecond, kSecond, kHour);
    YamlMap http = map.Optional("http").AsMap();
    const YamlNode listen = http.Optional("listen");
    audit.http_listen = listen.AsString("");
    if (!audit.http_listen.empty() && !http::IsAddress(audit.http_listen))
      listen.Fail("must be an IP address and a port, such as 0.0.0.0:8444");
    http.RefuseOthers();
    audit.disk_low = map.Optional("disk_low").AsBytes(audit.disk_low, 0, int64_t{1} << 50);
    YamlMap scrub = map.Optional("scrub").AsMap();
    audit.scrub_rate = scrub.Optional("rate").AsBytes(audit.scrub_rate, 0, int64_t{1} << 40);
    audit.scrub_rest = scrub.Optional("rest").AsDuration(audit.scrub_rest, kSecond, 90 * kDay);
    scrub.RefuseOthers();
    ReadWitnesses(map.Optional("witnesses").AsMap(), audit.witnesses);
    map.RefuseOthers();
  }

  void ReadWitnesses(YamlMap map, Config::Audit::Witnesses& witnesses) const {
    witnesses.policy = Path(map.Optional("policy"));
    witnesses.authorities = Path(map.Optional("authorities"));
    witnesses.interval = map.Optional("interval").AsDuration(witnesses.interval, kSecond, kHour);
    witnesses.timeout = map.Optional("timeout").AsDuration(witnesses.timeout, kSecond, kMinute);
    const YamlNode stop = map.Optional("releases_stop_after");
    witnesses.releases_stop_after = stop.AsDuration(0, 0, 30 * kDay);
    if (witnesses.releases_stop_after > 0 && witnesses.policy.empty())
      stop.Fail("needs a policy: without witnesses nothing would ever be released");
    else if (witnesses.releases_stop_after > 0 &&
             witnesses.releases_stop_after < 2 * (witnesses.interval + witnesses.timeout))
      stop.Fail("must be twice interval and timeout together at least, or it would come and go");
    map.RefuseOthers();
  }

  void ReadSharing(YamlMap map, Config::Sharing& sharing) const {
    for (const std::string& file : map.Optional("calendars").AsStrings())
      sharing.calendars.push_back(JoinPath(folder_, file));
    for (const std::string& file : map.Optional("clocks").AsStrings())
      sharing.clocks.push_back(JoinPath(folder_, file));
    map.RefuseOthers();
  }

  void ReadCatalogue(YamlMap map, Config::Catalogue& settings) const {
    const YamlNode word = map.Optional("publication");
    const auto rule = catalogue::PublicationRuleFromWord(word.AsString("owner"));
    if (rule)
      settings.publication = *rule;
    else
      word.Fail("must be owner (published as soon as it is applied) or authority (once reviewed)");
    map.RefuseOthers();
  }

  void ReadOperations(YamlMap map, Config::Operations& operations) const {
    YamlMap http = map.Optional("http").AsMap();
    const YamlNode listen = http.Optional("listen");
    operations.http_listen = listen.AsString("");
    if (!operations.http_listen.empty() && !http::IsLoopback(operations.http_listen))
      listen.Fail(
          "must be a loopback address and a port, such as 127.0.0.1:9464: this listener asks for "
          "no certificate");
    http.RefuseOthers();
    map.RefuseOthers();
  }

  void ReadLimits(YamlMap map, Config::Limits& limits) const {
    limits.running_calls = Count(map.Optional("running_calls"), limits.running_calls);
    limits.running_calls_per_system =
        Count(map.Optional("running_calls_per_system"), limits.running_calls_per_system);
    limits.max_page_rows =
        static_cast<int>(map.Optional("max_page_rows").AsInt(limits.max_page_rows, 1, 10'000));
    limits.default_deadline =
        map.Optional("default_deadline").AsDuration(limits.default_deadline, kSecond, kHour);
    limits.max_deadline =
        map.Optional("max_deadline").AsDuration(limits.max_deadline, kSecond, kHour);
    limits.max_read = map.Optional("max_read").AsDuration(limits.max_read, kMinute, kDay);
    limits.stall = map.Optional("stall").AsDuration(limits.stall, kSecond, kHour);
    limits.streams = Count(map.Optional("streams"), limits.streams);
    limits.token_life = map.Optional("token_life").AsDuration(limits.token_life, kSecond, kDay);
    limits.connections = Count(map.Optional("connections"), limits.connections);
    limits.streams_per_connection =
        Count(map.Optional("streams_per_connection"), limits.streams_per_connection);
    limits.connection_age =
        map.Optional("connection_age").AsDuration(limits.connection_age, kMinute, kDay);
    limits.drain = map.Optional("drain").AsDuration(limits.drain, kSecond, kHour);
    limits.drain_notice = map.Optional("drain_notice").AsDuration(limits.drain_notice, 0, kMinute);
    map.RefuseOthers();
  }

  const std::string folder_;
};

}  // namespace

absl::StatusOr<Config> ParseConfig(std::string_view text, const std::string& file) {
  const YamlDocument document = YamlDocument::Parse(text, file);
  Config config;
  if (document.errors().empty()) Reader(DirectoryOf(file)).Top(document.root().AsMap(), config);
  SLUICE_RETURN_IF_ERROR(document.status());
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& file, FileSystem& files, std::string* text) {
  SLUICE_ASSIGN_OR_RETURN(*text, files.ReadAll(file, 1 << 20));
  SLUICE_ASSIGN_OR_RETURN(Config config, ParseConfig(*text, file));
  std::vector<std::string> mistakes;
  CheckFile(files, "tls.certificate", config.tls.certificate, false, mistakes);
  CheckFile(files, "tls.key", config.tls.key, true, mistakes);
  for (size_t i = 0; i < config.tls.authorities.size(); ++i) {
    const std::string place = absl::StrCat("tls.authorities[", i, "].");
    CheckFile(files, place + "certificate", config.tls.authorities[i].certificate, false, mistakes);
    CheckFile(files, place + "revocation_list", config.tls.authorities[i].revocation_list, false,
              mistakes);
  }
  CheckFile(files, "audit.signing_key", config.audit.signing_key, true, mistakes);
  CheckFile(files, "audit.subject_key", config.audit.subject_key, true, mistakes);
  for (size_t i = 0; i < config.sharing.calendars.size(); ++i)
    CheckFile(files, absl::StrCat("sharing.calendars[", i, "]"), config.sharing.calendars[i], false,
              mistakes);
  for (size_t i = 0; i < config.sharing.clocks.size(); ++i)
    CheckFile(files, absl::StrCat("sharing.clocks[", i, "]"), config.sharing.clocks[i], false,
              mistakes);
  if (!config.seed.empty()) CheckFile(files, "seed", config.seed, false, mistakes);
  const Config::Audit::Witnesses& witnesses = config.audit.witnesses;
  if (!witnesses.policy.empty())
    CheckFile(files, "audit.witnesses.policy", witnesses.policy, false, mistakes);
  if (!witnesses.authorities.empty())
    CheckFile(files, "audit.witnesses.authorities", witnesses.authorities, false, mistakes);
  if (mistakes.empty()) return config;
  for (std::string& mistake : mistakes) mistake = absl::StrCat(file, ": ", mistake);
  return absl::InvalidArgumentError(absl::StrJoin(mistakes, "\n"));
}

ListenerPair ListenerPairOf(const Config& config) {
  ListenerPair pair;
  pair.certificate = config.tls.certificate;
  pair.key = config.tls.key;
  pair.run_directory = config.run_directory;
  pair.identity.trust_domain = config.trust_domain;
  pair.identity.kind = certs::Kind::kGateway;
  pair.identity.name = config.gateway;
  return pair;
}

}  // namespace sluice
