#include "gateway/sharing/grant_rules.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"
#include "gateway/policy/grant.h"

namespace sluice::sharing {
namespace {

using identity::Mistakes;

// The most that is still a number to people, far below what could overflow a sum.
constexpr int64_t kMostCounted = 1'000'000'000'000;
constexpr int kMostPageRows = 1'000'000;
constexpr int kMostEast = 14 * 60;
constexpr int kMostWest = -12 * 60;

void CheckRange(std::string_view path, int64_t value, int64_t least, int64_t most,
                Mistakes& mistakes) {
  if (value < least || value > most) mistakes.Add(path, absl::StrCat(least, " to ", most));
}

void CheckNumbers(const v1::Grant& grant, Mistakes& mistakes) {
  CheckRange("grant.max_page_rows", grant.max_page_rows(), 0, kMostPageRows, mistakes);
  const v1::Quota& quota = grant.quota();
  CheckRange("grant.quota.calls_per_minute", quota.calls_per_minute(), 0, kMostCounted, mistakes);
  CheckRange("grant.quota.rows_per_day", quota.rows_per_day(), 0, kMostCounted, mistakes);
  CheckRange("grant.quota.rows_total", quota.rows_total(), 0, kMostCounted, mistakes);
  CheckRange("grant.quota.day_offset_minutes", quota.day_offset_minutes(), kMostWest, kMostEast,
             mistakes);
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
    if (std::count(grant.systems().begin(), grant.systems().end(), grant.systems(i)) > 1)
      mistakes.Add(path, "named twice");
  }
  return absl::OkStatus();
}

absl::Status CheckPurposes(store::Reader& reader, const v1::Grant& grant,
                           const v1::Dataset& dataset, Mistakes& mistakes) {
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
    else if (std::find(dataset.purposes().begin(), dataset.purposes().end(), code) ==
             dataset.purposes().end())
      mistakes.Add(path, absl::StrCat("the dataset is not offered for \"", code, "\""));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckGrant(store::Reader& reader, const v1::Grant& grant,
                        const catalogue::DatasetPtr& dataset, Micros now) {
  Mistakes mistakes;
  if (const auto compiled = policy::Compile(grant, dataset); !compiled.ok())
    mistakes.AddAll("grant", compiled.status());
  SLUICE_RETURN_IF_ERROR(CheckConsumer(reader, grant, mistakes));
  SLUICE_RETURN_IF_ERROR(CheckPurposes(reader, grant, dataset->definition, mistakes));
  CheckNumbers(grant, mistakes);
  if (grant.has_expires() &&
      google::protobuf::util::TimeUtil::TimestampToMicroseconds(grant.expires()) <= now)
    mistakes.Add("grant.expires", "is past");
  return mistakes.ToStatus();
}

}  // namespace sluice::sharing
