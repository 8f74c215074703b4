// What docs/operator/ gives to Prometheus and Grafana, held against a gateway that runs.
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gateway/base/cases_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

constexpr char kAlerts[] = SLUICE_SOURCE "/docs/operator/alerts.yml";

TEST(AlertsTest, EveryMetricAndAlarmThatIsNamedExistsAndEveryAlarmHasARule) {
  Deployment gateway;
  gateway.Replace("sluiced.yaml", "listen: \"\"                 # /healthz",
                  "listen: 127.0.0.1:0  # ");
  gateway.Start();
  const std::string address = gateway.Events("http_listening").at(0).at("address");
  const Finished ran = Execute({"/usr/bin/python3", SLUICE_TEST_SCRIPTS "/metric_names.py",
                                absl::StrCat("http://", address, "/metrics"), kAlerts,
                                SLUICE_SOURCE "/docs/operator/dashboard.json"});
  ASSERT_EQ(ran.code, 0) << ran.errors;
  const nlohmann::json found = nlohmann::json::parse(ran.output);
  EXPECT_EQ(found.at("unknown"), nlohmann::json::array());
  EXPECT_EQ(found.at("alarms_without_rule"), nlohmann::json::array());
  EXPECT_EQ(found.at("rules_without_alarm"), nlohmann::json::array());
  EXPECT_GT(found.at("named").size(), 20u);
  EXPECT_GE(found.at("alarms").size(), 8u);
  // Each rule's runbook is a section of the page.
  const std::string page = ReadSourceFile("docs/operator.md");
  std::set<std::string> sections;
  for (const absl::string_view line : absl::StrSplit(page, '\n')) {
    const size_t begin = line.find_first_not_of('#');
    if (begin == 0 || begin == absl::string_view::npos || line[begin] != ' ') continue;
    sections.insert(absl::StrReplaceAll(absl::AsciiStrToLower(line.substr(begin + 1)),
                                        {{" ", "-"}, {",", ""}}));
  }
  for (const std::string runbook : found.at("runbooks"))
    EXPECT_TRUE(sections.contains(runbook.substr(runbook.find('#') + 1))) << runbook;
}

TEST(AlertsTest, PrometheusTakesTheRules) {
  const Finished found = Execute({"/bin/sh", "-c", "command -v promtool"});
  if (found.code != 0) GTEST_SKIP() << "no promtool: apt-get install prometheus";
  const Finished checked = Execute({"promtool", "check", "rules", kAlerts});
  EXPECT_EQ(checked.code, 0) << checked.all();
}

}  // namespace
}  // namespace sluice::system_test
