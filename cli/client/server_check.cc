#include "cli/client/server_check.h"

#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "certs/certificate.h"
#include "cli/failure.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

bool Bears(const certs::Certificate& leaf, const std::string& name) {
  X509* native = leaf.native();
  if (X509_check_ip_asc(native, name.c_str(), 0) == 1) return true;
  // The common name is never read.
  return X509_check_host(native, name.c_str(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                         nullptr) == 1;
}

std::string NamesOf(const certs::Certificate& leaf) {
  std::vector<std::string> names = leaf.dns_names();
  names.insert(names.end(), leaf.ip_addresses().begin(), leaf.ip_addresses().end());
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

}  // namespace

absl::Status CheckServer(std::string_view leaf_pem, const ExpectedServer& expected) {
  SLUICE_ASSIGN_OR_RETURN(const certs::Certificate leaf,
                          certs::Certificate::FromPem(leaf_pem, "the server's certificate"));
  if (!Bears(leaf, expected.server_name))
    return LocalError(
        "SERVER_NAME_MISMATCH",
        absl::StrCat("the server's certificate is not for \"", expected.server_name, "\"."),
        {{"names", NamesOf(leaf)}},
        "call it by one of its names (profile: gateway), or set server_name there");
  const auto identity = leaf.Identity(expected.trust_domain);
  if (identity.ok() && identity->kind == certs::Kind::kGateway) return absl::OkStatus();
  return LocalError(
      "SERVER_NOT_A_GATEWAY",
      absl::StrCat("the server's certificate does not name a gateway of ", expected.trust_domain,
                   "."),
      {{"says", leaf.uris().empty() ? "no URI name" : absl::StrJoin(leaf.uris(), ", ")}},
      "do not send it anything; check the profile's gateway and trust_domain");
}

}  // namespace sluice::cli
