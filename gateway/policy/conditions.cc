#include "gateway/policy/conditions.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::policy {
namespace {

constexpr int kMostNetworks = 64;
constexpr int kMostHours = 32;

// Of "10.2.0.7" or "2001:db8::1"; false where it is neither.
bool ReadAddress(std::string_view text, bool& v6, std::array<uint8_t, 16>& bytes) {
  const std::string address(text);
  bytes = {};
  v6 = inet_pton(AF_INET, address.c_str(), bytes.data()) != 1;
  return !v6 || inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

// What stands in a peer's text, without scheme, brackets and port.
std::string AddressOf(std::string_view peer) {
  // gRPC writes the brackets of an IPv6 address as %5B and %5D.
  std::string text = absl::StrReplaceAll(View(peer), {{"%5B", "["}, {"%5D", "]"}});
  std::string_view rest = text;
  if (const size_t scheme = rest.find(':'); rest.starts_with("ipv4:") || rest.starts_with("ipv6:"))
    rest.remove_prefix(scheme + 1);
  if (rest.starts_with('[')) {
    const size_t close = rest.find(']');
    return std::string(rest.substr(1, close == rest.npos ? rest.npos : close - 1));
  }
  return std::string(rest.substr(0, rest.rfind(':')));
}

bool SameBits(const std::array<uint8_t, 16>& a, const std::array<uint8_t, 16>& b, int bits) {
  for (int i = 0; bits > 0; ++i, bits -= 8) {
    const int shift = std::max(0, 8 - bits);
    if ((a[i] >> shift) != (b[i] >> shift)) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<Network> Network::Parse(std::string_view text) {
  const auto expected = [] {
    return absl::InvalidArgumentError(
        "expected a network: 10.2.0.0/16 or 2001:db8::/32, with no bits behind its prefix");
  };
  Network network;
  const size_t slash = text.find('/');
  if (!ReadAddress(text.substr(0, slash), network.v6_, network.prefix_)) return expected();
  const int most = network.v6_ ? 128 : 32;
  network.bits_ = most;
  if (slash != text.npos && (!absl::SimpleAtoi(View(text.substr(slash + 1)), &network.bits_) ||
                             network.bits_ < 0 || network.bits_ > most))
    return expected();
  // 10.2.3.4/16 may mean the one or the other.
  for (int bit = network.bits_; bit < most; ++bit)
    if ((network.prefix_[bit / 8] >> (7 - bit % 8)) & 1) return expected();
  return network;
}

bool Network::Holds(std::string_view peer) const {
  bool v6 = false;
  std::array<uint8_t, 16> address;
  if (!ReadAddress(AddressOf(peer), v6, address)) return false;
  if (v6 && !v6_) {
    // An IPv4 caller at a listener of both: ::ffff:10.2.0.7.
    constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (!std::equal(kMapped.begin(), kMapped.end(), address.begin())) return false;
    std::array<uint8_t, 16> v4 = {};
    std::copy(address.begin() + 12, address.end(), v4.begin());
    return SameBits(v4, prefix_, bits_);
  }
  return v6 == v6_ && SameBits(address, prefix_, bits_);
}

absl::StatusOr<Conditions> Conditions::Make(const v1::Conditions& definition) {
  Conditions made;
  absl::Status status;
  const auto fail = [&](std::string_view path, std::string_view mistake) {
    if (status.ok()) status = Error(v1::REASON_DEFINITION_INVALID, "the conditions have mistakes.");
    AddFieldViolation(status, path, mistake);
  };
  made.always_ = definition.hours().empty();
  if (definition.hours_size() > kMostHours) fail("hours", "expected at most 32");
  if (!made.always_) {
    if (definition.time_zone().empty()) fail("time_zone", "say where those hours are");
    const auto zone = identity::FindZone(definition.time_zone());
    if (!zone.ok()) fail("time_zone", std::string(zone.status().message()));
    for (int i = 0; i < definition.hours_size(); ++i) {
      const auto one = identity::ClosedHours::Parse({definition.hours(i)}, absl::UTCTimeZone());
      if (!one.ok()) fail(absl::StrCat("hours[", i, "]"), std::string(one.status().message()));
    }
    if (status.ok()) {
      auto hours = identity::ClosedHours::Parse(
          {definition.hours().begin(), definition.hours().end()}, *zone);
      if (!hours.ok()) return hours.status();
      made.hours_ = *std::move(hours);
    }
  } else if (!definition.time_zone().empty()) {
    fail("time_zone", "is for hours, and there are none");
  }
  if (definition.networks_size() > kMostNetworks) fail("networks", "expected at most 64");
  for (int i = 0; i < definition.networks_size() && i < kMostNetworks; ++i) {
    auto network = Network::Parse(definition.networks(i));
    if (network.ok())
      made.networks_.push_back(*std::move(network));
    else
      fail(absl::StrCat("networks[", i, "]"), std::string(network.status().message()));
  }
  if (!status.ok()) return status;
  return made;
}

bool Conditions::AnswersAt(Micros now) const { return always_ || hours_.Covers(now); }

bool Conditions::AnswersTo(std::string_view peer) const {
  return networks_.empty() || std::any_of(networks_.begin(), networks_.end(),
                                          [&](const auto& one) { return one.Holds(peer); });
}

}  // namespace sluice::policy
