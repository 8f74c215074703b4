#include "gateway/listener_keys.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice {
namespace {

certs::PairExpectation Expected(const ListenerPair& listener) {
  certs::PairExpectation expected;
  expected.trust_domain = listener.identity.trust_domain;
  expected.kind = listener.identity.kind;
  return expected;
}

}  // namespace

absl::StatusOr<certs::Pair> ListenerKeys::Check(const ListenerPair& listener) const {
  SLUICE_ASSIGN_OR_RETURN(certs::Pair pair,
                          certs::LoadPair(files_, listener.certificate, listener.key,
                                          Expected(listener), clock_.Now()));
  if (pair.identity != listener.identity)
    return Error(v1::REASON_DEFINITION_INVALID,
                 absl::StrCat(listener.certificate, ": names ", pair.identity.Path(),
                              ", but the configuration is of ", listener.identity.Path()));
  return pair;
}

absl::StatusOr<certs::Pair> ListenerKeys::Stage(const ListenerPair& listener,
                                                const std::string& authorities_pem) {
  const int64_t stamp = Stamp(listener);
  SLUICE_ASSIGN_OR_RETURN(certs::Pair pair, Check(listener));
  const std::string folder = listener.PairFolder();
  SLUICE_RETURN_IF_ERROR(files_.CreateDirectories(folder));
  SLUICE_RETURN_IF_ERROR(files_.WriteAtomically(listener.AuthoritiesFile(), authorities_pem));
  SLUICE_RETURN_IF_ERROR(certs::StagePair(files_, folder, pair.certificate_pem, pair.key_pem,
                                          Expected(listener), clock_.Now())
                             .status());
  staged_stamp_ = stamp;
  return pair;
}

bool ListenerKeys::Changed(const ListenerPair& listener) const {
  return Stamp(listener) != staged_stamp_;
}

// Changes whenever one of the two files is written or replaced.
int64_t ListenerKeys::Stamp(const ListenerPair& listener) const {
  int64_t stamp = 0;
  for (const std::string* path : {&listener.certificate, &listener.key}) {
    const auto info = files_.Stat(*path);
    stamp = stamp * 31 + (info.ok() ? info->modified_us : 0);
  }
  return stamp;
}

}  // namespace sluice
