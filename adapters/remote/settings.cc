#include "adapters/remote/settings.h"

#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"

namespace sluice::adapters::remote {
namespace {

constexpr int64_t kMostMs = 3'600'000;
constexpr size_t kMostName = 255;

// What a setting's value is wrong in; empty where it is not.
using Take = std::function<std::string(const std::string& value, RemoteSettings& into)>;

struct Setting {
  std::string name;
  bool required = true;
  Take take;
};

Setting Text(std::string name, std::string RemoteSettings::*into, std::string what) {
  return {std::move(name), true,
          [into, what](const std::string& value, RemoteSettings& settings) -> std::string {
            if (value.empty() || value.find('\0') != std::string::npos) return "must be " + what;
            settings.*into = value;
            return "";
          }};
}

Setting Milliseconds(std::string name, Micros RemoteSettings::*into, int64_t least) {
  return {std::move(name), false,
          [into, least](const std::string& value, RemoteSettings& settings) -> std::string {
            int64_t ms = 0;
            if (!absl::SimpleAtoi(value, &ms) || ms < least || ms > kMostMs)
              return absl::StrCat("must be a whole number from ", least, " to ", kMostMs);
            settings.*into = ms * kMillisecond;
            return "";
          }};
}

std::string TakeAddress(const std::string& value, RemoteSettings& settings) {
  const size_t colon = value.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 || value.find('/') != std::string::npos ||
      !absl::SimpleAtoi(value.substr(colon + 1), &port) || port < 1 || port > 65535)
    return "must be HOST:PORT, such as adapter.example:9443";
  settings.address = value;
  return "";
}

std::string TakeAdapter(const std::string& value, RemoteSettings& settings) {
  const size_t slash = value.find('/');
  const std::string mistake = "must be AGENCY/NAME, such as civil-affairs/cobol";
  if (slash == std::string::npos) return mistake;
  settings.adapter.kind = certs::Kind::kAdapter;
  settings.adapter.agency = value.substr(0, slash);
  settings.adapter.name = value.substr(slash + 1);
  return certs::IsId(settings.adapter.agency) && certs::IsId(settings.adapter.name) ? "" : mistake;
}

std::string TakeTrustDomain(const std::string& value, RemoteSettings& settings) {
  settings.adapter.trust_domain = value;
  return certs::IsTrustDomain(value) ? "" : "must be a trust domain, such as gov.example";
}

std::string TakeSource(const std::string& value, RemoteSettings& settings) {
  settings.source = value;
  return value.empty() || value.size() > kMostName ? "must be a name of 1 to 255 bytes" : "";
}

const std::vector<Setting>& AllSettings() {
  static const auto* const all = new std::vector<Setting>{
      {"address", true, TakeAddress},
      {"adapter", true, TakeAdapter},
      {"trust_domain", true, TakeTrustDomain},
      Text("authorities", &RemoteSettings::authorities,
           "a PEM file of the authorities that sign adapters"),
      Text("revocation_lists", &RemoteSettings::revocation_lists,
           "a PEM file of the authorities' revocation lists"),
      Text("certificate", &RemoteSettings::certificate,
           "the PEM file of the gateway's certificate"),
      Text("key", &RemoteSettings::key, "the PEM file of the gateway's key"),
      {"remote_source", true, TakeSource},
      Milliseconds("timeout_ms", &RemoteSettings::timeout, 1),
      Milliseconds("idle_ms", &RemoteSettings::idle, 1),
  };
  return *all;
}

using Mistakes = std::vector<std::pair<std::string, std::string>>;

absl::Status Invalid(const Mistakes& mistakes) {
  const std::string sentence =
      absl::StrJoin(mistakes, "; ", [](std::string* out, const auto& mistake) {
        absl::StrAppend(out, "setting '", mistake.first, "' ", mistake.second);
      });
  absl::Status status = Error(v1::REASON_DEFINITION_INVALID, sentence);
  for (const auto& [name, mistake] : mistakes)
    AddFieldViolation(status, absl::StrCat("settings.", name), mistake);
  return status;
}

}  // namespace

absl::StatusOr<RemoteSettings> ParseSettings(const Settings& settings) {
  RemoteSettings parsed;
  Mistakes mistakes;
  size_t known = 0;
  for (const Setting& setting : AllSettings()) {
    const auto given = settings.find(setting.name);
    if (given == settings.end()) {
      if (setting.required) mistakes.emplace_back(setting.name, "is missing");
      continue;
    }
    ++known;
    if (std::string mistake = setting.take(given->second, parsed); !mistake.empty())
      mistakes.emplace_back(setting.name, std::move(mistake));
  }
  if (known < settings.size()) {
    const auto names = [](std::string* out, const Setting& setting) { *out += setting.name; };
    for (const auto& [name, value] : settings) {
      bool one_of_ours = false;
      for (const Setting& setting : AllSettings()) one_of_ours |= setting.name == name;
      if (!one_of_ours)
        mistakes.emplace_back(name, absl::StrCat("is no setting of remote: those are ",
                                                 absl::StrJoin(AllSettings(), ", ", names)));
    }
  }
  if (!mistakes.empty()) return Invalid(mistakes);
  return parsed;
}

}  // namespace sluice::adapters::remote
