#include "gateway/records/text_writers.h"

#include <cmath>

#include "absl/strings/escaping.h"
#include "gateway/records/value_text.h"

namespace sluice::records {
namespace {

void AppendBase64(std::string_view bytes, std::string& out) {
  out += absl::Base64Escape({bytes.data(), bytes.size()});
}

// What is not null, without quotes of any kind.
void AppendPlain(const Column& column, int64_t row, std::string& out) {
  switch (column.type().id) {
    case TypeId::kBool:
      out += column.Bool(row) ? "true" : "false";
      return;
    case TypeId::kInt64:
      return AppendInt64(column.Int64(row), out);
    case TypeId::kFloat64:
      return AppendFloat64(column.Float64(row), out);
    case TypeId::kDecimal128:
      return AppendDecimal(column.Decimal(row), column.type().scale, out);
    case TypeId::kDate32:
      return AppendDate(column.Date32(row), out);
    case TypeId::kTimestamp:
      return AppendTimestamp(column.Int64(row), column.type().utc, out);
    case TypeId::kUtf8:
      out += column.Bytes(row);
      return;
    case TypeId::kBinary:
      return AppendBase64(column.Bytes(row), out);
  }
}

// RFC 8259, section 7: what must be escaped is, and nothing else.
void AppendJsonString(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out += text.substr(copied, i - copied);
    copied = i + 1;
    out += '\\';
    switch (c) {
      case '"':
      case '\\':
        out += static_cast<char>(c);
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default:
        out += "u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out += text.substr(copied);
  out += '"';
}

void AppendJsonValue(const Column& column, int64_t row, std::string& out) {
  const TypeId id = column.type().id;
  if (column.IsNull(row) || (id == TypeId::kFloat64 && !std::isfinite(column.Float64(row)))) {
    out += "null";
  } else if (id == TypeId::kUtf8) {
    AppendJsonString(column.Bytes(row), out);
  } else if (id == TypeId::kBool || id == TypeId::kInt64 || id == TypeId::kFloat64) {
    AppendPlain(column, row, out);
  } else {
    // Digits, letters and signs that need no escape.
    out += '"';
    AppendPlain(column, row, out);
    out += '"';
  }
}

// RFC 4180, section 2: quotes only where the text would be read otherwise. Empty text always, as
// without them it stands for null.
void AppendCsvText(std::string_view text, std::string& out) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == text.npos) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void AppendCsvValue(const Column& column, int64_t row, std::string& out) {
  if (column.IsNull(row)) return;
  if (column.type().id == TypeId::kUtf8) return AppendCsvText(column.Bytes(row), out);
  if (column.type().id == TypeId::kBinary && column.Bytes(row).empty()) {
    return AppendCsvText("", out);
  }
  AppendPlain(column, row, out);
}

}  // namespace

RowTextWriter::RowTextWriter(Format format, const Schema& schema) : format_(format) {
  if (format_ == Format::kCsv) {
    AppendCsvHeader(schema, header_);
    return;
  }
  for (const Field& field : schema.fields()) {
    std::string& key = keys_.emplace_back(keys_.empty() ? "{" : ",");
    AppendJsonString(field.name, key);
    key += ':';
  }
}

void RowTextWriter::AppendRow(const RecordBatch& batch, int64_t row, std::string& out) const {
  if (format_ == Format::kJsonLines) {
    for (size_t i = 0; i < keys_.size(); ++i) {
      out += keys_[i];
      AppendJsonValue(batch.column(i), row, out);
    }
    out += keys_.empty() ? "{}\n" : "}\n";
    return;
  }
  for (size_t i = 0; i < batch.columns().size(); ++i) {
    if (i > 0) out += ',';
    AppendCsvValue(batch.column(i), row, out);
  }
  out += "\r\n";
}

void AppendJsonLines(const RecordBatch& batch, std::string& out) {
  const RowTextWriter writer(RowTextWriter::Format::kJsonLines, *batch.schema());
  for (int64_t row = 0; row < batch.rows(); ++row) writer.AppendRow(batch, row, out);
}

void AppendCsvHeader(const Schema& schema, std::string& out) {
  for (size_t i = 0; i < schema.size(); ++i) {
    if (i > 0) out += ',';
    AppendCsvText(schema.field(i).name, out);
  }
  out += "\r\n";
}

void AppendCsv(const RecordBatch& batch, std::string& out) {
  const RowTextWriter writer(RowTextWriter::Format::kCsv, *batch.schema());
  for (int64_t row = 0; row < batch.rows(); ++row) writer.AppendRow(batch, row, out);
}

std::string DisplayValue(const Column& column, int64_t row) {
  std::string out;
  if (!column.IsNull(row)) AppendPlain(column, row, out);
  return out;
}

}  // namespace sluice::records
