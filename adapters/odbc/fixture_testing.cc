#include "adapters/odbc/fixture_testing.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/crypto.h"

namespace sluice::adapters::odbc {

std::vector<std::string> OverOdbcTest::Read(Adapter& adapter, const std::string& table,
                                            records::DataType type) {
  using records::TypeId;
  std::vector<std::string> values;
  for (const records::RecordBatch& batch : All(*Scan(adapter, Values(table, type)))) {
    const records::Column& column = batch.column(1);
    for (int64_t i = 0; i < batch.rows(); ++i) {
      if (column.IsNull(i)) {
        values.emplace_back("null");
        continue;
      }
      switch (type.id) {
        case TypeId::kBool:
          values.emplace_back(column.Bool(i) ? "true" : "false");
          break;
        case TypeId::kInt64:
          values.push_back(absl::StrCat(column.Int64(i)));
          break;
        case TypeId::kFloat64: {
          char text[40];
          snprintf(text, sizeof(text), "%.17g", column.Float64(i));
          values.emplace_back(text);
          break;
        }
        case TypeId::kDecimal128:
          values.push_back(records::FormatDecimal(column.Decimal(i), type.scale));
          break;
        case TypeId::kDate32:
          values.push_back(records::FormatDate(column.Date32(i)));
          break;
        case TypeId::kTimestamp:
          values.push_back(records::FormatTimestamp(column.Int64(i), type.utc));
          break;
        case TypeId::kUtf8:
          values.push_back(absl::StrCat("'", std::string(column.Bytes(i)), "'"));
          break;
        case TypeId::kBinary:
          values.push_back(HexEncode(column.Bytes(i)));
          break;
      }
    }
  }
  return values;
}

}  // namespace sluice::adapters::odbc
