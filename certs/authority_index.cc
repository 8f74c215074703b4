#include "certs/authority_index.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "certs/openssl.h"

namespace sluice::certs {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const IssuedCertificate& one) {
  Json json = {{"serial", one.serial}, {"identity", one.identity}};
  if (!one.dns_names.empty()) json["dns_names"] = one.dns_names;
  if (!one.ip_addresses.empty()) json["ip_addresses"] = one.ip_addresses;
  json["not_before"] = FormatUtc(one.not_before);
  json["not_after"] = FormatUtc(one.not_after);
  json["fingerprint"] = one.fingerprint;
  if (one.revocation) {
    json["revoked_at"] = FormatUtc(one.revocation->revoked_at);
    json["reason"] = std::string(RevocationReasonName(one.revocation->reason));
  }
  return json;
}

// Throws nlohmann's exceptions, and std::invalid_argument for a time or reason that is none.
Micros TimeAt(const Json& json, const char* key) {
  Micros time = 0;
  if (!ParseTime(json.at(key).get<std::string>(), &time)) throw std::invalid_argument(key);
  return time;
}

IssuedCertificate FromJson(const Json& json) {
  IssuedCertificate one;
  one.serial = json.at("serial").get<std::string>();
  one.identity = json.at("identity").get<std::string>();
  one.dns_names = json.value("dns_names", std::vector<std::string>());
  one.ip_addresses = json.value("ip_addresses", std::vector<std::string>());
  one.not_before = TimeAt(json, "not_before");
  one.not_after = TimeAt(json, "not_after");
  one.fingerprint = json.at("fingerprint").get<std::string>();
  if (json.contains("revoked_at")) {
    const auto reason = RevocationReasonFromName(json.at("reason").get<std::string>());
    if (!reason) throw std::invalid_argument("reason");
    one.revocation = Revocation{TimeAt(json, "revoked_at"), *reason};
  }
  if (!HexDecode(one.serial).ok() || one.serial.empty()) throw std::invalid_argument("serial");
  return one;
}

}  // namespace

std::string WriteIssued(const std::vector<IssuedCertificate>& issued) {
  std::string text;
  for (const IssuedCertificate& one : issued) absl::StrAppend(&text, ToJson(one).dump(), "\n");
  return text;
}

absl::StatusOr<std::vector<IssuedCertificate>> ReadIssued(std::string_view text,
                                                          std::string_view place) {
  std::vector<IssuedCertificate> issued;
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    const std::string_view row = text.substr(0, end);
    try {
      if (end == std::string_view::npos) throw std::invalid_argument("no line feed");
      issued.push_back(FromJson(Json::parse(row)));
    } catch (const std::exception&) {
      return Mistake(absl::StrCat(std::string(place), ":", line), "cannot be read",
                     "restore the file from the backup of the authority's folder");
    }
    text.remove_prefix(end + 1);
  }
  return issued;
}

}  // namespace sluice::certs
