// docs/configuration.md, what `sluice init` writes, and gateway/config.cc are one list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/init_texts.h"
#include "gateway/base/yaml.h"
#include "gateway/config.h"
#include "tests/documents/document.h"

namespace sluice {
namespace {

constexpr char kPage[] = "docs/configuration.md";
constexpr char kFile[] = "/srv/sluice/sluiced.yaml";

// Only what is needed, with the values that init gives.
constexpr char kNeeded[] = R"yaml(
gateway: gw1
trust_domain: gov.example
listen: gw1.gov.example:8443
tls:
  certificate: tls/certificate.pem
  key: tls/key.pem
  authorities:
    - {certificate: tls/authority.pem, agencies: ["*"], revocation_list: tls/revocation.pem}
audit:
  directory: audit
  origin: gw1.gov.example/log
  signing_key: log.key
  kept_head: state/kept-head
  detail_keys: keys/details
  subject_key: keys/subjects.key
  derived: derived
)yaml";

std::string WrittenByInit() {
  cli::Deployment deployment;
  deployment.gateway = "gw1";
  deployment.trust_domain = "gov.example";
  deployment.listen = "gw1.gov.example:8443";
  return cli::ConfigText(deployment);
}

// Everything but the seed, which init names and which has no default.
std::string Described(const Config& config) {
  std::vector<std::string> parts = {config.gateway, config.trust_domain, config.listen,
                                    config.store, config.run_directory};
  const Config::Tls& tls = config.tls;
  parts.insert(parts.end(), {tls.certificate, tls.key, absl::StrCat(tls.crl_grace),
                             absl::StrCat(tls.handshake)});
  for (const AuthorityConfig& authority : tls.authorities) {
    parts.insert(parts.end(), {authority.certificate, absl::StrJoin(authority.agencies, ","),
                               authority.revocation_list});
  }
  const Config::Audit& audit = config.audit;
  parts.insert(parts.end(), {audit.directory,
                             audit.origin,
                             audit.signing_key,
                             audit.kept_head,
                             absl::StrJoin(audit.heads_at, ","),
                             absl::StrCat(audit.start_without_heads),
                             audit.detail_keys,
                             audit.subject_key,
                             audit.derived,
                             absl::StrCat(audit.segment_bytes),
                             absl::StrCat(audit.head_interval),
                             audit.http_listen,
                             absl::StrCat(audit.disk_low),
                             absl::StrCat(audit.scrub_rate),
                             absl::StrCat(audit.scrub_rest),
                             audit.witnesses.policy,
                             audit.witnesses.authorities,
                             absl::StrCat(audit.witnesses.interval),
                             absl::StrCat(audit.witnesses.timeout),
                             absl::StrCat(audit.witnesses.releases_stop_after)});
  parts.push_back(config.operations.http_listen);
  parts.insert(parts.end(), {absl::StrJoin(config.sharing.calendars, ","),
                             absl::StrJoin(config.sharing.clocks, ",")});
  parts.push_back(absl::StrCat(static_cast<int>(config.catalogue.publication)));
  const Config::Limits& limits = config.limits;
  for (const int64_t number :
       {int64_t{limits.running_calls}, int64_t{limits.running_calls_per_system},
        int64_t{limits.max_page_rows}, limits.default_deadline, limits.max_deadline,
        limits.max_read, limits.stall, int64_t{limits.streams}, limits.token_life,
        int64_t{limits.connections}, int64_t{limits.streams_per_connection}, limits.connection_age,
        limits.drain, limits.drain_notice})
    parts.push_back(absl::StrCat(number));
  return absl::StrJoin(parts, "\n");
}

// All paths that the parser asks for, as the page writes them: it names them when it meets a key
// that is like none.
std::vector<std::string> KnownPaths() {
  constexpr char kStranger[] = "xxxxxxxxxxxxxxxxxxxxxxxx";
  const std::string text = absl::StrReplaceAll(
      "KEY: 1\ntls: {KEY: 1, authorities: [{KEY: 1}]}\naudit: {KEY: 1, http: {KEY: 1}, "
      "scrub: {KEY: 1}, witnesses: {KEY: 1}}\nlimits: {KEY: 1}\n"
      "operations: {KEY: 1, http: {KEY: 1}}\n"
      "sharing: {KEY: 1}\ncatalogue: {KEY: 1}\n",
      {{"KEY", kStranger}});
  const std::string errors(ParseConfig(text, kFile).status().message());
  std::vector<std::string> paths;
  for (const absl::string_view line : absl::StrSplit(errors, '\n')) {
    const std::vector<std::string> told = absl::StrSplit(line, "unknown key; known here: ");
    if (told.size() != 2) continue;
    const std::vector<std::string> parts = absl::StrSplit(told[0], ": ");
    const std::string section = absl::StrReplaceAll(parts.at(1), {{kStranger, ""}, {"[0]", "[]"}});
    for (const absl::string_view key : absl::StrSplit(told[1], ", "))
      paths.push_back(absl::StrCat(section, key));
  }
  return paths;
}

bool IsSection(const std::string& path) {
  return path == "tls" || path == "audit" || path == "limits" || path == "operations" ||
         path == "sharing" || path == "catalogue" || path == "operations.http" ||
         path == "audit.http" || path == "audit.scrub" || path == "audit.witnesses";
}

// The cell of the page beside a path; "" where there is no row.
std::string DefaultInPage(const std::string& page, const std::string& path) {
  const std::string row = absl::StrCat("\n| `", path, "` | ");
  const size_t begin = page.find(row);
  if (begin == std::string::npos) return "";
  const size_t cell = begin + row.size();
  return page.substr(cell, page.find(" |", cell) - cell);
}

TEST(ConfigurationTest, WhatInitWritesIsEverySettingAtItsDefault) {
  const auto written = ParseConfig(WrittenByInit(), kFile);
  const auto needed = ParseConfig(kNeeded, kFile);

  ASSERT_TRUE(written.ok()) << written.status();
  ASSERT_TRUE(needed.ok()) << needed.status();
  EXPECT_EQ(Described(*written), Described(*needed));
  EXPECT_EQ(written->seed, "/srv/sluice/seed.yaml");
  EXPECT_EQ(needed->seed, "");
}

TEST(ConfigurationTest, ThePageHasEverySettingAndItsDefault) {
  const std::string page = ReadDocument(kPage);
  const std::string text = WrittenByInit();
  const YamlDocument written = YamlDocument::Parse(text, kFile);
  const std::vector<std::string> paths = KnownPaths();
  EXPECT_GE(paths.size(), 50u) << absl::StrJoin(paths, "\n");  // of all sections
  const std::string nothing = "tls: {authorities: [{}]}\naudit: {}\n";
  const std::string missing(ParseConfig(nothing, kFile).status().message());

  for (const std::string& path : paths) {
    if (IsSection(path)) continue;
    const std::string cell = DefaultInPage(page, path);
    EXPECT_NE(cell, "") << path << " is not in " << kPage;
    const std::string place = absl::StrCat(": ", absl::StrReplaceAll(path, {{"[]", "[0]"}}), ": ");
    // The list is there, and empty: what it lacks is told in its members.
    if (path != "tls.authorities") {
      EXPECT_EQ(cell == "needed", absl::StrContains(missing, place)) << path << "\n" << missing;
    }
    // A default in the page is what init writes.
    const std::vector<std::string> steps = absl::StrSplit(path, '.');
    if (steps.size() > 2 || !absl::StartsWith(cell, "`")) continue;
    YamlMap map = written.root().AsMap();
    if (steps.size() == 2) map = map.Optional(steps[0]).AsMap();
    EXPECT_EQ(cell, absl::StrCat("`", map.Optional(steps.back()).AsString(), "`")) << path;
  }
}

TEST(ConfigurationTest, InitWritesEverySetting) {
  const std::string text = WrittenByInit();
  const YamlDocument written = YamlDocument::Parse(text, kFile);
  for (const std::string& path : KnownPaths()) {
    const std::string place = absl::StrReplaceAll(path, {{"[]", "[0]"}});
    EXPECT_GT(written.LineOf(place), 0) << path;
    const std::string key = path.substr(path.rfind('.') + 1);
    EXPECT_THAT(text, ::testing::ContainsRegex(absl::StrCat("(\n|- | )", key, ":"))) << path;
  }
}

}  // namespace
}  // namespace sluice
