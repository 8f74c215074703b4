#include "cli/certs_show.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "certs/authority_index.h"
#include "certs/certificate.h"
#include "certs/crl.h"
#include "certs/request.h"
#include "cli/named_file.h"
#include "cli/times.h"
#include "gateway/base/error.h"
#include "nlohmann/json.hpp"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostList = 64 << 20;

using Json = nlohmann::ordered_json;
using Pairs = FailureLines;

// Label and value, or one object.
void Print(Session& session, const Pairs& pairs) {
  if (session.format() == Format::kTable) {
    for (const auto& [label, value] : pairs)
      session.environment.out << PadRight(label, 12) << "  " << Harmless(value) << "\n";
    return;
  }
  Json json = Json::object();
  for (const auto& [label, value] : pairs) json[label] = value;
  session.environment.out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

std::string PeriodState(Micros not_before, Micros not_after, Micros now) {
  if (now < not_before) return "not yet valid";
  if (now >= not_after) return "EXPIRED";
  return absl::StrCat((not_after - now) / kDay, " days left");
}

void ShowCertificate(Session& session, const certs::Certificate& certificate) {
  const Micros now = session.environment.clock.Now();
  Pairs pairs = {{"certificate", certificate.is_authority() ? "authority" : "leaf"},
                 {"subject", certificate.subject()},
                 {"issuer", certificate.issuer()},
                 {"serial", certificate.serial()},
                 {"names", absl::StrJoin(certificate.uris(), ", ")},
                 {"not_before", FormatUtc(certificate.not_before())},
                 {"not_after", FormatUtc(certificate.not_after())},
                 {"state", PeriodState(certificate.not_before(), certificate.not_after(), now)},
                 {"sha256", HexEncode(AsBytes(certificate.fingerprint()))}};
  std::vector<std::string> hosts = certificate.dns_names();
  hosts.insert(hosts.end(), certificate.ip_addresses().begin(), certificate.ip_addresses().end());
  if (!hosts.empty()) pairs.insert(pairs.begin() + 5, {"hosts", absl::StrJoin(hosts, ", ")});
  Print(session, pairs);
}

void ShowList(Session& session, const certs::RevocationList& list) {
  const Micros now = session.environment.clock.Now();
  Print(session, {{"list", absl::StrCat(list.number())},
                  {"issuer", list.issuer()},
                  {"revoked", absl::StrCat(list.size())},
                  {"this_update", FormatUtc(list.this_update())},
                  {"next_update", FormatUtc(list.next_update())},
                  {"state", PeriodState(list.this_update(), list.next_update(), now)}});
}

void ShowIssued(Session& session, const std::vector<certs::IssuedCertificate>& issued) {
  std::vector<std::vector<std::string>> rows;
  const Micros now = session.environment.clock.Now();
  for (const auto& one : issued) {
    rows.push_back({one.serial, one.identity, FormatUtc(one.not_after),
                    one.revocation
                        ? absl::StrCat("revoked ", FormatUtc(one.revocation->revoked_at), " ",
                                       std::string(RevocationReasonName(one.revocation->reason)))
                        : PeriodState(one.not_before, one.not_after, now)});
  }
  const std::vector<TableColumn> columns = {{"serial"}, {"identity"}, {"not_after"}, {"state"}};
  if (session.format() != Format::kJson) {
    session.environment.out << (session.format() == Format::kTable ? FormatTable(columns, rows)
                                                                   : FormatCsv(columns, rows));
    return;
  }
  for (const auto& row : rows) {
    Pairs pairs;
    for (size_t i = 0; i < row.size(); ++i) pairs.emplace_back(columns[i].title, row[i]);
    Print(session, pairs);
  }
}

}  // namespace

absl::Status ShowCertificates(Session& session, const std::string& path) {
  FileSystem& files = session.environment.files;
  if (const auto info = files.Stat(path); info.ok() && info->is_directory) {
    // The index alone: to look needs neither the key nor the lock.
    const std::string place = JoinPath(path, "issued.jsonl");
    SLUICE_ASSIGN_OR_RETURN(const std::string text, files.ReadAll(place, kMostList));
    SLUICE_ASSIGN_OR_RETURN(const auto issued, certs::ReadIssued(text, place));
    ShowIssued(session, issued);
    return absl::OkStatus();
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile(files, path, kMostList));
  if (absl::StrContains(text, "PRIVATE KEY"))
    return LocalError("IS_A_KEY", path + " holds a private key, which is never shown.", {},
                      "name the certificate beside it", kWrongUsage);
  if (absl::StrContains(text, "BEGIN X509 CRL")) {
    SLUICE_ASSIGN_OR_RETURN(const auto lists, certs::RevocationList::AllFromPem(text, path));
    for (const auto& list : lists) ShowList(session, list);
    return absl::OkStatus();
  }
  if (absl::StrContains(text, "CERTIFICATE REQUEST")) {
    SLUICE_ASSIGN_OR_RETURN(const auto request, certs::Request::FromPem(text, path));
    const certs::Names& names = request.names();
    Print(session, {{"request", names.identity.Format()},
                    {"dns", absl::StrJoin(names.dns_names, ", ")},
                    {"ip", absl::StrJoin(names.ip_addresses, ", ")}});
    return absl::OkStatus();
  }
  SLUICE_ASSIGN_OR_RETURN(const auto chain, certs::Certificate::ChainFromPem(text, path));
  for (const auto& certificate : chain) ShowCertificate(session, certificate);
  return absl::OkStatus();
}

}  // namespace sluice::cli
