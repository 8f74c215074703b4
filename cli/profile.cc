#include "cli/profile.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "certs/spiffe.h"
#include "cli/failure.h"
#include "gateway/base/error.h"
#include "gateway/base/yaml.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostProfile = 64 << 10;

std::string HomeFolder(const Variable& variable, const char* xdg, const char* below_home) {
  if (const auto folder = variable(xdg); folder && !folder->empty())
    return JoinPath(*folder, "sluice");
  const auto home = variable("HOME");
  return home && !home->empty() ? JoinPath(*home, below_home) : "";
}

absl::StatusOr<std::string> FindProfile(FileSystem& files, const Variable& variable,
                                        const std::string& wanted) {
  std::vector<std::string> places;
  if (wanted.find('/') != std::string::npos || wanted.ends_with(".yaml")) {
    places = {wanted};
  } else {
    places = {JoinPath("profiles", wanted + ".yaml")};
    if (const std::string folder = ConfigFolder(variable); !folder.empty())
      places.push_back(JoinPath(folder, JoinPath("profiles", wanted + ".yaml")));
  }
  for (const std::string& place : places)
    if (const auto info = files.Stat(place); info.ok() && !info->is_directory) return place;
  return LocalError("PROFILE_NOT_FOUND", absl::StrCat("there is no profile \"", wanted, "\"."),
                    {{"looked", absl::StrJoin(places, "\n")}},
                    "sluice --profile FILE …, or set SLUICE_PROFILE", kWrongUsage);
}

// "[2001:db8::1]:8443" and "gw1:8443" without the port.
std::string HostOf(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool IsAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  return colon != std::string::npos && colon > 0 && colon + 1 < text.size();
}

}  // namespace

std::string ConfigFolder(const Variable& variable) {
  return HomeFolder(variable, "XDG_CONFIG_HOME", ".config/sluice");
}

std::string StateFolder(const Variable& variable) {
  return HomeFolder(variable, "XDG_STATE_HOME", ".local/state/sluice");
}

absl::StatusOr<audit::VerifierKey> ReadVerifierKey(FileSystem& files,
                                                   const std::string& key_or_file) {
  if (auto key = audit::ParseVerifierKey(key_or_file); key.ok()) return key;
  auto text = files.ReadAll(key_or_file, kMostProfile);
  if (!text.ok())
    return LocalError("KEY_INVALID",
                      absl::StrCat("\"", key_or_file, "\" is neither a verifier key nor a file: ",
                                   std::string(text.status().message())),
                      {}, "--key log.vkey, as sluice init wrote it", kWrongUsage);
  auto key = audit::ParseVerifierKey(std::string(absl::StripAsciiWhitespace(*text)));
  if (key.ok()) return key;
  return LocalError("KEY_INVALID",
                    absl::StrCat(key_or_file, ": ", std::string(key.status().message())), {},
                    "--key log.vkey, as sluice init wrote it", kWrongUsage);
}

absl::StatusOr<Profile> LoadProfile(FileSystem& files, const Variable& variable,
                                    std::string_view name_or_file) {
  std::string wanted(name_or_file);
  if (wanted.empty()) wanted = variable("SLUICE_PROFILE").value_or("");
  if (wanted.empty())
    return UsageError("this command calls a gateway, and no profile says which and as whom.",
                      "sluice --profile NAME …, or set SLUICE_PROFILE");
  SLUICE_ASSIGN_OR_RETURN(const std::string place, FindProfile(files, variable, wanted));
  SLUICE_ASSIGN_OR_RETURN(const std::string text, files.ReadAll(place, kMostProfile));

  const YamlDocument document = YamlDocument::Parse(text, place);
  YamlMap map = document.root().AsMap();
  const std::string folder = DirectoryOf(place);
  Profile profile{.place = place};
  const YamlNode gateway = map.Required("gateway");
  profile.gateway = gateway.AsString();
  if (gateway.present() && !IsAddress(profile.gateway))
    gateway.Fail("must be host:port, such as gw1.gov.example:8443");
  profile.server_name = map.Optional("server_name").AsString();
  const YamlNode domain = map.Required("trust_domain");
  profile.trust_domain = domain.AsString();
  if (domain.present() && !certs::IsTrustDomain(profile.trust_domain))
    domain.Fail("must be a trust domain, such as gov.example");
  profile.certificate = JoinPath(folder, map.Required("certificate").AsString());
  profile.key = JoinPath(folder, map.Required("key").AsString());
  profile.authorities = JoinPath(folder, map.Required("authorities").AsString());
  const std::string log_key = map.Required("log_key").AsString();
  map.RefuseOthers();
  if (const absl::Status status = document.status(); !status.ok())
    return LocalError("PROFILE_INVALID", std::string(status.message()), {},
                      absl::StrCat("edit ", place), kWrongUsage);
  if (profile.server_name.empty()) profile.server_name = HostOf(profile.gateway);
  const bool is_key = audit::ParseVerifierKey(log_key).ok();
  SLUICE_ASSIGN_OR_RETURN(profile.log_key,
                          ReadVerifierKey(files, is_key ? log_key : JoinPath(folder, log_key)));
  return profile;
}

}  // namespace sluice::cli
