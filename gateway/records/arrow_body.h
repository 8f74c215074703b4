// The body of an Arrow batch, column by column. For the reader alone (arrow_reader.h).
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/records/arrow_generated.h"
#include "gateway/records/arrow_reader.h"
#include "gateway/records/types.h"

namespace sluice::records {

// What is made shares nothing with `body`: validity and values past their ends and of nulls are
// zero, offsets begin with 0. INVALID_ARGUMENT without a full stop, which the reader sets.
absl::StatusOr<RecordBatch> ReadArrowBody(const arrow::RecordBatch& header, std::string_view body,
                                          const SchemaPtr& schema, const ArrowLimits& limits);

}  // namespace sluice::records
