#include "adapters/remote/parties_testing.h"

#include "gateway/base/check.h"
#include "gateway/base/clock.h"
#include "gateway/base/file_system.h"

namespace sluice::adapters::remote {

TestParties::TestParties()
    : authority_(certs::TestAuthority::Root("adapters", MakeSystemClock()->Now())) {
  Write("authority.pem", authority_.pem());
  Write("lists.pem", authority_.ListPem());
  UseAsGateway(Issue("spiffe://gov.example/gateway/gw1"));
}

Settings TestParties::SettingsFor(const std::string& address, const std::string& source) const {
  return {{"address", address},
          {"adapter", "civil-affairs/cobol"},
          {"trust_domain", kTestDomain},
          {"authorities", Path("authority.pem")},
          {"revocation_lists", Path("lists.pem")},
          {"certificate", Path("gateway.pem")},
          {"key", Path("gateway.key")},
          {"remote_source", source}};
}

certs::TestLeaf TestParties::Issue(const std::string& uri) const {
  return authority_.Issue(uri,
                          [](certs::CertificateSpec& spec) { spec.dns_names = {"localhost"}; });
}

void TestParties::UseAsGateway(const certs::TestLeaf& leaf) const {
  Write("gateway.key", leaf.key_pem);
  Write("gateway.pem", leaf.certificate_pem);
}

void TestParties::Write(const std::string& name, const std::string& text) const {
  SLUICE_CHECK(MakePosixFileSystem()->WriteAtomically(Path(name), text).ok());
}

}  // namespace sluice::adapters::remote
