#include "cli/rows_output.h"

#include "gateway/records/text_writers.h"

namespace sluice::cli {

void RowsOutput::Add(const records::RecordBatch& batch) {
  std::string text;
  switch (session_.format()) {
    case Format::kTable:
      Gather(batch);
      break;
    case Format::kJson:
      records::AppendJsonLines(batch, text);
      break;
    case Format::kCsv:
      if (!begun_) records::AppendCsvHeader(*batch.schema(), text);
      records::AppendCsv(batch, text);
      break;
  }
  begun_ = true;
  session_.environment.out << text;
}

void RowsOutput::End() {
  if (session_.format() == Format::kTable)
    session_.environment.out << FormatTable(columns_, cells_);
  session_.environment.out.flush();
}

void RowsOutput::Gather(const records::RecordBatch& batch) {
  if (columns_.empty()) {
    for (const records::Field& field : batch.schema()->fields()) {
      using records::TypeId;
      const TypeId type = field.type.id;
      columns_.push_back({field.name, type == TypeId::kInt64 || type == TypeId::kFloat64 ||
                                          type == TypeId::kDecimal128});
    }
  }
  for (int64_t row = 0; row < batch.rows(); ++row) {
    auto& cells = cells_.emplace_back();
    for (const records::Column& column : batch.columns())
      cells.push_back(records::DisplayValue(column, row));
  }
}

}  // namespace sluice::cli
