// Authorities in memory for tests, also such as no real one would be: every part of what they sign
// may be changed before it is signed.
//
//   TestAuthority root = TestAuthority::Root("root", clock.Now());
//   TestLeaf relief = root.Issue("spiffe://gov.example/agency/civil-affairs/system/relief");
//   std::string list = root.ListPem({relief.certificate.serial()});
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "certs/builder.h"
#include "certs/certificate.h"
#include "certs/crl.h"
#include "certs/key.h"

namespace sluice::certs {

struct TestLeaf {
  PrivateKey key;
  Certificate certificate;
  std::string key_pem;
  std::string certificate_pem;
};

using Change = std::function<void(CertificateSpec&)>;

class TestAuthority {
 public:
  // Valid for ten years from a day before `now`.
  static TestAuthority Root(const std::string& name, Micros now, const Change& change = {});
  TestAuthority Below(const std::string& name, const Change& change = {}) const;
  // Valid for ninety days, for clients and servers.
  TestLeaf Issue(const std::string& uri, const Change& change = {}) const;
  // Valid for seven days from `now` of Root, unless `change` says otherwise.
  std::string ListPem(const std::vector<std::string>& revoked_serials = {},
                      const std::function<void(ListSpec&)>& change = {}) const;

  const PrivateKey& key() const { return key_; }
  const Certificate& certificate() const { return certificate_; }
  std::string pem() const { return certificate_.ToPem(); }

 private:
  TestAuthority(Micros now, PrivateKey key, Certificate certificate)
      : now_(now), key_(std::move(key)), certificate_(std::move(certificate)) {}
  Micros now_;
  PrivateKey key_;
  Certificate certificate_;
};

// A new folder under the system's temporary one, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string Path(std::string_view name) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sluice::certs
