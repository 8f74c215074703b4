// What a registration may look like: the rules for each resource, whoever brings it (the service or
// the seed). All mistakes of one are named at once, by field violations under `path`.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gateway/store/store.h"
#include "sluice/v1/registry.pb.h"

namespace sluice::identity {

// Gathers mistakes; one status in the end.
class Mistakes {
 public:
  void Add(std::string_view path, std::string_view mistake);
  // Other violations, their paths under `path`.
  void AddAll(std::string_view path, const absl::Status& status);
  bool none() const { return mistakes_.empty(); }
  // OK, or DEFINITION_INVALID with a field violation each.
  absl::Status ToStatus() const;

 private:
  std::vector<std::pair<std::string, std::string>> mistakes_;
};

// Defaults of SourceLimits, where 0 is sent.
inline constexpr int kDefaultConnections = 4;
inline constexpr int kDefaultQueue = 64;
inline constexpr int64_t kDefaultStatementMs = 10'000;
inline constexpr int kDefaultBreakerFailures = 5;
inline constexpr int64_t kDefaultBreakerOpenMs = 30'000;
inline constexpr int kMostPurposes = 1000;
inline constexpr int kMostClosedSpans = 32;

// Each checks the message and sets what follows from it: state ACTIVE, no etag, limits' defaults.
absl::Status PrepareAgency(v1::Agency& agency);
absl::Status PrepareSystem(v1::ClientSystem& system);
// Roles are left as they are.
absl::Status PreparePerson(v1::Person& person);
absl::Status PrepareSource(v1::Source& source);
// Well-formed codes, each once.
absl::Status CheckPurposes(const std::vector<v1::Purpose>& purposes);

// The first active person with that role besides `except`; empty where there is none.
absl::StatusOr<std::string> AnotherWithRole(store::Reader& reader, v1::Role role,
                                            std::string_view except);

}  // namespace sluice::identity
