// RecordBatch to and from the RowBatch message that Query carries, and single values.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gateway/records/predicate.h"
#include "gateway/records/types.h"
#include "sluice/v1/values.pb.h"

namespace sluice::records {

inline constexpr std::string_view kRowBatchMediaType = "application/vnd.sluice.rows+protobuf";

v1::ColumnType ToProto(const DataType& type);
// INVALID_ARGUMENT for an unknown type, or precision and scale out of bounds.
absl::StatusOr<DataType> FromProto(const v1::ColumnType& type);

// The serialised RowBatch, built without going through message objects where that is faster; the
// same bytes for the same batch.
std::string EncodeRowBatch(const RecordBatch& batch);
absl::StatusOr<RecordBatch> DecodeRowBatch(std::string_view bytes);

// INVALID_ARGUMENT (saying what was expected, never the value) where it is not of that type. A text
// value is accepted for date, timestamp and decimal, an int64 for decimal and float64.
absl::StatusOr<Scalar> ScalarFromProto(const v1::Value& value, const DataType& type);

}  // namespace sluice::records
