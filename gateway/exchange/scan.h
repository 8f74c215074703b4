// From a plan to a source and back: the scan that a plan needs, and what its rows carry beside what
// is put out.
#pragma once

#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "gateway/exchange/sources.h"
#include "gateway/policy/decide.h"

namespace sluice::exchange {

// Without position and rows wanted.
adapters::ScanRequest MakeScan(const policy::Plan& plan);

// The values of the key and of the subject fields in one row of a scanned batch. Raw ids: they
// leave with the run.
std::vector<records::Scalar> KeyOf(const policy::Plan& plan, const records::RecordBatch& scanned,
                                   int64_t row);
std::vector<std::string> SubjectsOf(const policy::Plan& plan, const records::RecordBatch& scanned,
                                    int64_t row);

// Of each kept row: its values that became null because they did not fit. Only those that the
// consumer sees: what did not fit in other rows, or in fields that are not shown, is nobody's to
// count.
std::vector<int64_t> BadValuesOf(const policy::Plan& plan, const std::vector<int64_t>& kept,
                                 const std::vector<adapters::BadCell>& bad_cells);

// The first `rows` rows of several batches as one.
records::RecordBatch FirstRows(const std::vector<records::RecordBatch>& batches,
                               const records::SchemaPtr& schema, int64_t rows);

}  // namespace sluice::exchange
