#include "certs/pair.h"

#include <openssl/err.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "certs/links.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"

namespace sluice::certs {
namespace {

constexpr uint64_t kMaxFile = 1 << 20;
constexpr int64_t kKept = 2;

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status CheckPeriod(const Certificate& certificate, std::string_view place, Micros now) {
  const bool early = now < certificate.not_before();
  if (!early && now < certificate.not_after()) return absl::OkStatus();
  return Error(v1::REASON_CERTIFICATE_EXPIRED,
               absl::StrCat(std::string(place), ": ", certificate.subject(),
                            early ? " is not valid before " : " has expired at ",
                            FormatUtc(early ? certificate.not_before() : certificate.not_after()),
                            early ? "; set the clock, or wait" : "; renew it: sluice certs renew"),
               {{"place", place},
                {"next", early ? absl::StrCat("set this machine's clock, which says ",
                                              FormatUtc(now), ", or wait")
                               : "sluice certs renew, or a new one: sluice certs request"}});
}

absl::Status CheckChain(const std::vector<Certificate>& chain, std::string_view place, Micros now) {
  for (size_t i = 0; i < chain.size(); ++i) {
    SLUICE_RETURN_IF_ERROR(CheckPeriod(chain[i], place, now));
    if (i == 0) continue;
    const bool issued =
        X509_check_issued(chain[i].native(), chain[i - 1].native()) == X509_V_OK &&
        X509_verify(chain[i - 1].native(), X509_get0_pubkey(chain[i].native())) == 1;
    ERR_clear_error();
    if (!issued) {
      return Mistake(place,
                     absl::StrCat("certificate ", i + 1, " (", chain[i].subject(),
                                  ") has not signed the one before it"),
                     "put the certificate first, then each authority above it");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckExpected(const Certificate& certificate, const SpiffeId& identity,
                           std::string_view place, const PairExpectation& expected) {
  if (expected.kind && identity.kind != *expected.kind) {
    return Mistake(
        place,
        absl::StrCat("names ", identity.Path(), ", not a ", std::string(KindName(*expected.kind))),
        "request one of the right kind: sluice certs request");
  }
  if (expected.kind == Kind::kGateway && certificate.dns_names().empty() &&
      certificate.ip_addresses().empty()) {
    return Mistake(place, "has neither DNS names nor IP addresses, so no client can check it",
                   "request it again with the names that clients call");
  }
  for (const std::string& name : expected.server_names) {
    if (!Contains(certificate.dns_names(), name) && !Contains(certificate.ip_addresses(), name)) {
      return Mistake(place, absl::StrCat("is not for ", name),
                     "request it again with the names that clients call");
    }
  }
  return absl::OkStatus();
}

// The number of "vN"; 0 for any other name.
int64_t VersionOf(std::string_view name) {
  int64_t version = 0;
  if (!name.starts_with('v')) return 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), version);
  const bool whole = error == std::errc() && end == name.data() + name.size() && version > 0;
  return whole ? version : 0;
}

// Older versions than the last two. What cannot be removed stays: it harms nobody.
void RemoveOld(FileSystem& files, const std::string& folder, int64_t newest) {
  const auto names = files.List(folder);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const int64_t version = VersionOf(name);
    if (version == 0 || version > newest - kKept) continue;
    const std::string old = JoinPath(folder, name);
    files.Remove(JoinPath(old, kKeyFile)).IgnoreError();
    files.Remove(JoinPath(old, kCertificateFile)).IgnoreError();
    RemoveFolder(old).IgnoreError();
  }
}

}  // namespace

absl::StatusOr<Pair> CheckPairText(std::string_view certificate_pem,
                                   std::string_view certificate_place, std::string_view key_pem,
                                   std::string_view key_place, const PairExpectation& expected,
                                   Micros now) {
  SLUICE_ASSIGN_OR_RETURN(auto chain,
                          Certificate::ChainFromPem(certificate_pem, certificate_place));
  SLUICE_ASSIGN_OR_RETURN(auto key, PrivateKey::FromPem(key_pem, key_place));
  if (const absl::Status pair = CheckPair(key, chain.front()); !pair.ok())
    return Annotate(pair,
                    absl::StrCat(std::string(certificate_place), " with ", std::string(key_place)));
  SLUICE_RETURN_IF_ERROR(CheckChain(chain, certificate_place, now));
  auto identity = chain.front().Identity(expected.trust_domain);
  if (!identity.ok()) return Annotate(identity.status(), std::string(certificate_place));
  SLUICE_RETURN_IF_ERROR(CheckExpected(chain.front(), *identity, certificate_place, expected));
  return Pair{std::move(key), std::move(chain), *std::move(identity), std::string(key_pem),
              std::string(certificate_pem)};
}

absl::StatusOr<Pair> LoadPair(FileSystem& files, const std::string& certificate_path,
                              const std::string& key_path, const PairExpectation& expected,
                              Micros now) {
  const auto read = [&](const std::string& path) -> absl::StatusOr<std::string> {
    auto text = files.ReadAll(path, kMaxFile);
    if (text.ok()) return text;
    return Mistake(path,
                   // Which names the path as well.
                   std::string(absl::StripPrefix(text.status().message(), path + ": ")),
                   "put the file there, readable by this process");
  };
  SLUICE_ASSIGN_OR_RETURN(const std::string certificate_pem, read(certificate_path));
  SLUICE_ASSIGN_OR_RETURN(const std::string key_pem, read(key_path));
  SLUICE_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(key_path));
  if ((info.mode & 007) != 0) {
    return Mistake(key_path, "can be read by everybody on this machine",
                   "chmod 600, and ask who has read it");
  }
  return CheckPairText(certificate_pem, certificate_path, key_pem, key_path, expected, now);
}

absl::StatusOr<std::string> StagePair(FileSystem& files, const std::string& folder,
                                      std::string_view certificate_pem, std::string_view key_pem,
                                      const PairExpectation& expected, Micros now) {
  SLUICE_RETURN_IF_ERROR(CheckPairText(certificate_pem, "the new certificate", key_pem,
                                       "the new private key", expected, now)
                             .status());
  SLUICE_RETURN_IF_ERROR(files.CreateDirectories(folder, 0700));
  SLUICE_ASSIGN_OR_RETURN(const auto lock, files.Lock(JoinPath(folder, "lock")));
  SLUICE_ASSIGN_OR_RETURN(const auto names, files.List(folder));
  int64_t newest = 0;
  for (const std::string& name : names) newest = std::max(newest, VersionOf(name));
  const std::string version = absl::StrCat("v", ++newest);
  const std::string fresh = JoinPath(folder, version);
  SLUICE_RETURN_IF_ERROR(files.CreateDirectories(fresh, 0700));
  SLUICE_RETURN_IF_ERROR(files.WriteAtomically(JoinPath(fresh, kKeyFile), key_pem, 0600));
  SLUICE_RETURN_IF_ERROR(
      files.WriteAtomically(JoinPath(fresh, kCertificateFile), certificate_pem, 0644));
  // What was written is what will be served: read it back before anybody else does.
  SLUICE_RETURN_IF_ERROR(
      LoadPair(files, JoinPath(fresh, kCertificateFile), JoinPath(fresh, kKeyFile), expected, now)
          .status());
  SLUICE_RETURN_IF_ERROR(SwapLink(folder, "current", version));
  RemoveOld(files, folder, newest);
  return version;
}

}  // namespace sluice::certs
