// Batches as rows of values: for whoever compares what an adapter gives with what it should give.
#pragma once

#include <vector>

#include "gateway/records/predicate.h"
#include "gateway/records/types.h"

namespace sluice::adapters::check {

using Row = std::vector<records::Scalar>;

std::vector<Row> RowsOf(const records::RecordBatch& batch);
std::vector<Row> RowsOf(const std::vector<records::RecordBatch>& batches);

// Whether they hold the same values; a NaN is the same as another.
bool Same(const Row& a, const Row& b);

// One column of rows: values of its type, or null.
records::Column ColumnOf(const std::vector<Row>& rows, size_t place, const records::DataType& type);

// The values of a row at these places.
Row At(const Row& row, const std::vector<int>& places);

}  // namespace sluice::adapters::check
