#include "gateway/sharing/grant_rules.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/entry_metadata.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"
#include "gateway/policy/grant.h"

namespace sluice::sharing {
namespace {

using identity::Mistakes;

// The most that is still a number to people, far below what could overflow a sum.
constexpr int64_t kMostCounted = 1'000'000'000'000;
constexpr int kMostPageRows = 1'000'000;

// What is too little is Compile's to say.
void CheckMost(std::string_view path, int64_t value, int64_t most, Mistakes& mistakes) {
  if (value > most) mistakes.Add(path, absl::StrCat("expected at most ", most));
}

void CheckNumbers(const v1::Grant& grant, Mistakes& mistakes) {
  CheckMost("grant.max_page_rows", grant.max_page_rows(), kMostPageRows, mistakes);
  const v1::Quota& quota = grant.quota();
  CheckMost("grant.quota.calls_per_minute", quota.calls_per_minute(), kMostCounted, mistakes);
  CheckMost("grant.quota.rows_per_day", quota.rows_per_day(), kMostCounted, mistakes);
  CheckMost("grant.quota.rows_total", quota.rows_total(), kMostCounted, mistakes);
  CheckMost("grant.quota.misses_per_day", quota.misses_per_day(), kMostCounted, mistakes);
  CheckMost("grant.quota.tries_per_record", quota.tries_per_record(), kMostCounted, mistakes);
}

// Not in microseconds, of which a time that is none may have more than 64 bits hold.
bool IsPast(const google::protobuf::Timestamp& time, Micros now) {
  if (time.seconds() != now / kSecond) return time.seconds() < now / kSecond;
  return time.nanos() / 1000 <= now % kSecond;
}

absl::Status CheckConsumer(store::Reader& reader, const v1::Grant& grant, Mistakes& mistakes) {
  SLUICE_ASSIGN_OR_RETURN(const auto agency, identity::FindAgency(reader, grant.consumer_agency()));
  if (!agency) {
    mistakes.Add("grant.consumer_agency", "there is no such agency");
    return absl::OkStatus();
  }
  for (int i = 0; i < grant.systems_size(); ++i) {
    const std::string path = absl::StrCat("grant.systems[", i, "]");
    const std::string name = absl::StrCat(grant.consumer_agency(), "/", grant.systems(i));
    SLUICE_ASSIGN_OR_RETURN(const auto system, identity::FindSystem(reader, name));
    if (!system) mistakes.Add(path, absl::StrCat("there is no system ", name));
  }
  return absl::OkStatus();
}

absl::Status CheckPurposes(store::Reader& reader, const v1::Grant& grant, Mistakes& mistakes) {
  SLUICE_ASSIGN_OR_RETURN(const auto list, identity::LoadPurposes(reader));
  std::map<std::string, bool> withdrawn;
  for (const auto& purpose : list) withdrawn[purpose.code()] = purpose.withdrawn();
  for (int i = 0; i < grant.purposes_size(); ++i) {
    const std::string path = absl::StrCat("grant.purposes[", i, "]");
    const std::string& code = grant.purposes(i);
    const auto known = withdrawn.find(code);
    if (known == withdrawn.end())
      mistakes.Add(path, absl::StrCat("\"", code, "\" is not on the authority's list"));
    else if (known->second)
      mistakes.Add(path, absl::StrCat("\"", code, "\" was withdrawn"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckGrant(store::Reader& reader, const v1::Grant& grant,
                        const catalogue::DatasetPtr& dataset, Micros now) {
  if (!catalogue::IsPublished(dataset->definition))
    return Error(v1::REASON_NOT_PUBLISHED,
                 absl::StrCat("The authority has not published ", dataset->definition.name(),
                              " yet; no grant can be made on it."),
                 {{"dataset", dataset->definition.name()}});
  Mistakes mistakes;
  if (const auto compiled = policy::Compile(grant, dataset); !compiled.ok())
    mistakes.AddAll("grant", compiled.status());
  SLUICE_RETURN_IF_ERROR(CheckConsumer(reader, grant, mistakes));
  SLUICE_RETURN_IF_ERROR(CheckPurposes(reader, grant, mistakes));
  CheckNumbers(grant, mistakes);
  if (grant.has_expires() && IsPast(grant.expires(), now)) mistakes.Add("grant.expires", "is past");
  return mistakes.ToStatus();
}

}  // namespace sluice::sharing
