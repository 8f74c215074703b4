// Whether a dataset's description fits the table that it stands on.
#pragma once

#include "absl/status/status.h"
#include "adapters/adapter.h"
#include "gateway/catalogue/dataset.h"

namespace sluice::catalogue {

// Whether a column that the source describes as `from` can be read as `to`. Each value is still
// checked when it is read: this refuses only what cannot go well. Text is read as anything but
// binary, whole numbers as other numbers, as bool and as Unix seconds, dates and times as text.
bool ReadableAs(const records::DataType& from, const records::DataType& to);

// OK, or SCHEMA_DRIFT with a field violation each: a column that is not there, one of another kind,
// a key that covers none of the unique keys that the source states. (A view states none: that its
// key is unique is its owner's word.)
absl::Status CheckDrift(const Dataset& dataset, const adapters::TableDescription& table);

// The column that a field is read from.
const std::string& ColumnOf(const v1::DatasetField& field);

}  // namespace sluice::catalogue
