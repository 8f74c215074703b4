// Certificates of a gateway and of an adapter in a folder, and the settings that name them. For
// tests.
#pragma once

#include <string>

#include "adapters/adapter.h"
#include "certs/authority_testing.h"

namespace sluice::adapters::remote {

inline constexpr char kTestDomain[] = "gov.example";
inline constexpr char kTestGateway[] = "gw1";
inline constexpr char kTestAdapter[] = "spiffe://gov.example/agency/civil-affairs/adapter/cobol";

class TestParties {
 public:
  TestParties();

  // Of a gateway that reads `source` of the adapter at `address`.
  Settings SettingsFor(const std::string& address, const std::string& source) const;
  const certs::TestAuthority& authority() const { return authority_; }
  // A certificate that has a host's name as well.
  certs::TestLeaf Issue(const std::string& uri) const;
  // Writes it as the gateway's pair.
  void UseAsGateway(const certs::TestLeaf& leaf) const;
  void Write(const std::string& name, const std::string& text) const;
  std::string Path(const std::string& name) const { return folder_.Path(name); }
  const std::string& folder() const { return folder_.path(); }

 private:
  certs::TemporaryFolder folder_;
  certs::TestAuthority authority_;
};

}  // namespace sluice::adapters::remote
