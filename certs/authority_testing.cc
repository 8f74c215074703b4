#include "certs/authority_testing.h"

#include <stdlib.h>

#include <filesystem>

#include "gateway/base/check.h"
#include "gateway/base/file_system.h"

namespace sluice::certs {
namespace {

PrivateKey NewKey() {
  auto key = PrivateKey::Generate();
  SLUICE_CHECK(key.ok());
  return *std::move(key);
}

CertificateSpec Spec(const std::string& name, const PrivateKey& key, Micros now, Micros valid_for) {
  return CertificateSpec{.common_name = name,
                         .public_key = key.native(),
                         .serial = MakeSystemRandom()->Bytes(16),
                         .not_before = now - kDay,
                         .not_after = now + valid_for};
}

Certificate Build(CertificateSpec spec, const Change& change, const PrivateKey& signer,
                  const Certificate* issuer) {
  if (change) change(spec);
  auto made = BuildCertificate(spec, signer, issuer);
  SLUICE_CHECK(made.ok());
  return *std::move(made);
}

}  // namespace

TestAuthority TestAuthority::Root(const std::string& name, Micros now, const Change& change) {
  PrivateKey key = NewKey();
  CertificateSpec spec = Spec(name, key, now, 3650 * kDay);
  spec.is_authority = true;
  Certificate root = Build(std::move(spec), change, key, nullptr);
  return TestAuthority(now, std::move(key), std::move(root));
}

TestAuthority TestAuthority::Below(const std::string& name, const Change& change) const {
  PrivateKey key = NewKey();
  CertificateSpec spec = Spec(name, key, now_, 1000 * kDay);
  spec.is_authority = true;
  Certificate made = Build(std::move(spec), change, key_, &certificate_);
  return TestAuthority(now_, std::move(key), std::move(made));
}

TestLeaf TestAuthority::Issue(const std::string& uri, const Change& change) const {
  PrivateKey key = NewKey();
  CertificateSpec spec = Spec("a party", key, now_, 90 * kDay);
  spec.uris = {uri};
  spec.extended_usage = "clientAuth,serverAuth";
  Certificate made = Build(std::move(spec), change, key_, &certificate_);
  std::string key_pem = key.ToPem(), certificate_pem = made.ToPem();
  return TestLeaf{std::move(key), std::move(made), std::move(key_pem), std::move(certificate_pem)};
}

std::string TestAuthority::ListPem(const std::vector<std::string>& revoked_serials,
                                   const std::function<void(ListSpec&)>& change) const {
  ListSpec spec{.number = 1, .this_update = now_, .next_update = now_ + 7 * kDay};
  for (const std::string& serial : revoked_serials)
    spec.revoked.push_back({serial, {now_, RevocationReason::kKeyCompromise}});
  if (change) change(spec);
  auto list = BuildList(spec, key_, certificate_);
  SLUICE_CHECK(list.ok());
  return list->ToPem();
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "sluice-certs-XXXXXX";
  SLUICE_CHECK(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::Path(std::string_view name) const { return JoinPath(path_, name); }

}  // namespace sluice::certs
