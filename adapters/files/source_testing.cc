#include "adapters/files/source_testing.h"

#include "absl/strings/str_cat.h"

namespace sluice::adapters::files {

ScanRequest TextRequest(const std::string& table, const std::vector<std::string>& columns,
                        int key) {
  ScanRequest request;
  request.table = table;
  for (const std::string& column : columns)
    request.fields.push_back({column, {column, {records::TypeId::kUtf8}}});
  for (int i = 0; i < key; ++i) request.key.push_back(i);
  return request;
}

ScannedTexts Drain(RecordReader& reader) {
  ScannedTexts scanned;
  for (;;) {
    const auto batch = reader.Next();
    scanned.status = batch.status();
    scanned.version = reader.version().version;
    if (!batch.ok() || !batch->has_value()) return scanned;
    for (int64_t i = 0; i < (*batch)->rows(); ++i) {
      std::string row;
      for (const records::Column& column : (*batch)->columns())
        absl::StrAppend(&row, row.empty() ? "" : ",", std::string(column.Bytes(i)));
      scanned.rows.push_back(std::move(row));
    }
  }
}

ScannedTexts ScanAll(Adapter& adapter, ScanRequest request, const CallContext& context) {
  const auto reader = adapter.Scan(std::move(request), context);
  if (!reader.ok()) return {{}, "", reader.status()};
  return Drain(**reader);
}

std::string People(int rows) {
  std::string text = "id,name\n";
  for (int i = 1; i <= rows; ++i) absl::StrAppend(&text, i, ",somebody\n");
  return text;
}

}  // namespace sluice::adapters::files
