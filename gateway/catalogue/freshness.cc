#include "gateway/catalogue/freshness.h"

#include <utility>

#include "google/protobuf/util/time_util.h"

namespace sluice::catalogue {
namespace {

constexpr Micros kHour = 3'600 * kSecond;
constexpr Micros kDay = 24 * kHour;

std::optional<Micros> LongestAge(v1::UpdateCycle cycle) {
  switch (cycle) {
    case v1::UPDATE_CYCLE_DAILY:
      return 36 * kHour;
    case v1::UPDATE_CYCLE_WEEKLY:
      return 8 * kDay;
    case v1::UPDATE_CYCLE_MONTHLY:
      return 32 * kDay;
    case v1::UPDATE_CYCLE_QUARTERLY:
      return 93 * kDay;
    case v1::UPDATE_CYCLE_YEARLY:
      return 367 * kDay;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool PromisesAge(v1::UpdateCycle cycle) { return LongestAge(cycle).has_value(); }

bool IsOverdue(v1::UpdateCycle cycle, Micros data_as_of, Micros now) {
  const auto longest = LongestAge(cycle);
  return longest && now - data_as_of > *longest;
}

v1::Freshness ShownFreshness(v1::Freshness freshness, v1::UpdateCycle cycle, bool inside,
                             Micros now) {
  if (freshness.has_data_as_of()) {
    const Micros as_of =
        google::protobuf::util::TimeUtil::TimestampToMicroseconds(freshness.data_as_of());
    freshness.set_overdue(IsOverdue(cycle, as_of, now));
  }
  if (!inside) {
    freshness.clear_rows();
    freshness.clear_version();
    freshness.clear_note();
  }
  return freshness;
}

}  // namespace sluice::catalogue
