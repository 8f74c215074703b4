// When and from where a grant answers: its hours and its networks. Immutable once made.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/identity/closed_hours.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::policy {

// Addresses that begin alike: "10.2.0.0/16", "2001:db8::/32".
class Network {
 public:
  // INVALID_ARGUMENT saying what was expected.
  static absl::StatusOr<Network> Parse(std::string_view text);
  // An address as gRPC tells it: "ipv4:10.2.0.7:41522", "ipv6:[2001:db8::1]:41522".
  bool Holds(std::string_view peer) const;

 private:
  bool v6_ = false;
  int bits_ = 0;
  std::array<uint8_t, 16> prefix_ = {};
};

class Conditions {
 public:
  Conditions() = default;
  // DEFINITION_INVALID with one field violation a mistake: "hours[0]", "time_zone", "networks[2]".
  static absl::StatusOr<Conditions> Make(const v1::Conditions& definition);

  bool AnswersAt(Micros now) const;
  bool AnswersTo(std::string_view peer) const;

 private:
  bool always_ = true;
  identity::ClosedHours hours_;  // "closed" is when the grant answers
  std::vector<Network> networks_;
};

}  // namespace sluice::policy
