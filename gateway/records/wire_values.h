// What encoder and decoder of RowBatch and single values share. Inner header of this room.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/records/types.h"
#include "sluice/v1/values.pb.h"

namespace sluice::records {

// google.protobuf.Timestamp and microseconds. Nanoseconds are never negative: for times before 1970
// they count forward from the second below.
struct WireTime {
  int64_t seconds = 0;
  int32_t nanos = 0;
};
WireTime WireTimeOf(int64_t micros);
// Nothing outside years 1 to 9999, or where it is finer than a microsecond.
std::optional<int64_t> MicrosOf(const WireTime& time);

// A batch of more columns is refused: each costs memory far beyond its few bytes on the wire.
inline constexpr size_t kMaxColumns = 4096;

}  // namespace sluice::records
