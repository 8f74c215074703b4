// Values as text appended to a buffer: what the Format functions of types.h give, for writers that
// must not allocate per value.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/records/types.h"

namespace sluice::records {

void AppendDecimal(Decimal128 unscaled, int scale, std::string& out);
void AppendDate(int32_t days, std::string& out);
void AppendTimestamp(int64_t micros, bool utc, std::string& out);
// The shortest text that reads back as the same number; "NaN", "Infinity", "-Infinity".
void AppendFloat64(double value, std::string& out);
void AppendInt64(int64_t value, std::string& out);

}  // namespace sluice::records
