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
// INVALID_ARGUMENT (saying where and what was expected, never the value) for whatever
// EncodeRowBatch would not write: another kind of value than the column's, a field of a later
// version, two columns of one name, more than 4,096 columns, text that is not UTF-8. Memory stays
// in proportion to the bytes. The message does not say which fields may be null, so all may.
absl::StatusOr<RecordBatch> DecodeRowBatch(std::string_view bytes);

// INVALID_ARGUMENT (saying what was expected, never the value) where it is not of that type. A text
// value is accepted for every type but binary ("true", "-17", "2.5": in the form that it is printed
// in), because those who write filters by hand do not know the types; an int64 for decimal and
// float64 where it can be held exactly. Nothing set is null.
absl::StatusOr<Scalar> ScalarFromProto(const v1::Value& value, const DataType& type);

}  // namespace sluice::records
