// The metadata of Arrow's messages: what of it may be used, and the schema in it. For the reader
// alone (arrow_reader.h). Errors are INVALID_ARGUMENT and have no full stop: the reader says where.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/records/arrow_generated.h"
#include "gateway/records/arrow_reader.h"
#include "gateway/records/types.h"

namespace sluice::records {

// The message, once nothing in it points outside of it. It borrows from `metadata`.
absl::StatusOr<const arrow::Message*> VerifyArrow(std::string_view metadata,
                                                  const ArrowLimits& limits);
// What a message is that is not what has to come here.
std::string NameOfArrowHeader(arrow::MessageHeader kind);
absl::StatusOr<SchemaPtr> ReadArrowSchema(const arrow::Message& message, const ArrowLimits& limits);

}  // namespace sluice::records
