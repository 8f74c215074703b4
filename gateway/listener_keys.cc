#include "gateway/listener_keys.h"

#include "gateway/base/error.h"

namespace sluice {
namespace {

certs::PairExpectation Expected(const Config& config) {
  certs::PairExpectation expected;
  expected.trust_domain = config.trust_domain;
  expected.kind = certs::Kind::kGateway;
  return expected;
}

}  // namespace

std::string ListenerKeys::PairFolder(const Config& config) {
  return JoinPath(config.run_directory, "pair");
}
std::string ListenerKeys::AuthoritiesFile(const Config& config) {
  return JoinPath(config.run_directory, "authorities.pem");
}

absl::StatusOr<certs::Pair> ListenerKeys::Check(const Config& config) const {
  SLUICE_ASSIGN_OR_RETURN(certs::Pair pair,
                          certs::LoadPair(files_, config.tls.certificate, config.tls.key,
                                          Expected(config), clock_.Now()));
  if (pair.identity.name != config.gateway)
    return Error(v1::REASON_DEFINITION_INVALID,
                 config.tls.certificate + ": names gateway " + pair.identity.name +
                     ", but the configuration says gateway: " + config.gateway);
  return pair;
}

absl::StatusOr<certs::Pair> ListenerKeys::Stage(const Config& config,
                                                const std::string& authorities_pem) {
  const int64_t stamp = Stamp(config);
  SLUICE_ASSIGN_OR_RETURN(certs::Pair pair, Check(config));
  SLUICE_RETURN_IF_ERROR(files_.CreateDirectories(PairFolder(config)));
  SLUICE_RETURN_IF_ERROR(files_.WriteAtomically(AuthoritiesFile(config), authorities_pem));
  SLUICE_RETURN_IF_ERROR(certs::StagePair(files_, PairFolder(config), pair.certificate_pem,
                                          pair.key_pem, Expected(config), clock_.Now())
                             .status());
  staged_stamp_ = stamp;
  return pair;
}

bool ListenerKeys::Changed(const Config& config) const { return Stamp(config) != staged_stamp_; }

// Changes whenever one of the two files is written or replaced.
int64_t ListenerKeys::Stamp(const Config& config) const {
  int64_t stamp = 0;
  for (const std::string* path : {&config.tls.certificate, &config.tls.key}) {
    const auto info = files_.Stat(*path);
    stamp = stamp * 31 + (info.ok() ? info->modified_us : 0);
  }
  return stamp;
}

}  // namespace sluice
