// Times as people write and read them.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "google/protobuf/timestamp.pb.h"

namespace sluice::cli {

Micros ToMicros(const google::protobuf::Timestamp& time);
google::protobuf::Timestamp ToTimestamp(Micros time);

// "2026-11-22 02:00:07 +08:00".
std::string FormatTime(Micros time, const absl::TimeZone& zone);
// "2026-11-22".
std::string FormatDay(Micros time, const absl::TimeZone& zone);
// "11-23 15:40:02", under a heading that says the offset: "+08:00".
std::string FormatShort(Micros time, const absl::TimeZone& zone);
std::string FormatOffset(Micros time, const absl::TimeZone& zone);
// The same in UTC, as proofs have it: "2026-11-19 03:10:00Z".
std::string FormatZulu(Micros time);

// "today", "yesterday", "2026-11-23", "2026-11-23T14:02:00+08:00", or a time ago: "90m", "2h",
// "7d". Days begin at midnight of `zone`. UsageError otherwise.
absl::StatusOr<Micros> ParseWhen(std::string_view text, Micros now, const absl::TimeZone& zone);
// A moment to come, the same but for the words: a duration alone is from now on, "90d".
absl::StatusOr<Micros> ParseUntil(std::string_view text, Micros now, const absl::TimeZone& zone);

}  // namespace sluice::cli
