#include "tests/conformance/adapter_under_test.h"

#include <cfloat>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "gateway/base/crypto.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::adapters::conformance {

using records::RecordBatch;
using records::Scalar;
using records::TypeId;

void AdapterConformance::SetUp() {
  if (!GetParam().not_here.empty()) GTEST_SKIP() << GetParam().not_here;
  const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
  const auto found = GetParam().deviations.find(name.substr(0, name.find('/')));
  if (found != GetParam().deviations.end()) GTEST_SKIP() << found->second;
  source_ = GetParam().make();
}

std::string AdapterConformance::Fitting(std::string text) {
  if (!GetParam().nul_in_text) std::erase(text, '\0');
  return text;
}

void AdapterConformance::Fit(TableData& table) {
  for (Row& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      auto* const text = std::get_if<std::string>(&row[i]);
      if (text != nullptr && table.fields[i].type.id == TypeId::kUtf8)
        *text = Fitting(std::move(*text));
      auto* const real = std::get_if<double>(&row[i]);
      if (real != nullptr && std::isinf(*real) && !GetParam().infinities)
        *real = std::copysign(DBL_MAX, *real);
    }
  }
}

ScanRequest AdapterConformance::RequestFor(const TableData& table) {
  ScanRequest request;
  request.table = table.name;
  for (const records::Field& field : table.fields) request.fields.push_back({field.name, field});
  request.key = table.key;
  return request;
}

std::vector<RecordBatch> AdapterConformance::ScanAll(Adapter& adapter, ScanRequest request) {
  std::vector<RecordBatch> batches;
  auto reader = adapter.Scan(std::move(request), Context());
  EXPECT_TRUE(reader.ok()) << reader.status();
  if (!reader.ok()) return batches;
  for (;;) {
    auto batch = (*reader)->Next();
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok() || !batch->has_value()) return batches;
    batches.push_back(**std::move(batch));
  }
}

absl::Status AdapterConformance::ScanStatus(Adapter& adapter, ScanRequest request) {
  auto reader = adapter.Scan(std::move(request), Context());
  if (!reader.ok()) return reader.status();
  for (;;) {
    const auto batch = (*reader)->Next();
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) return absl::OkStatus();
  }
}

std::vector<KindUnderTest> Variants(std::vector<KindUnderTest> all, size_t under_sanitizer) {
  if (kSanitized && all.size() > under_sanitizer) all.resize(under_sanitizer);
  return all;
}

std::string KindName(const testing::TestParamInfo<KindUnderTest>& info) { return info.param.name; }

std::string Show(const Row& row) {
  std::string text;
  for (const Scalar& value : row) {
    if (!text.empty()) text += " | ";
    if (std::holds_alternative<std::monostate>(value)) text += "null";
    if (const auto* v = std::get_if<bool>(&value)) text += *v ? "true" : "false";
    if (const auto* v = std::get_if<int64_t>(&value)) absl::StrAppend(&text, *v);
    if (const auto* v = std::get_if<double>(&value)) absl::StrAppend(&text, *v);
    if (const auto* v = std::get_if<int32_t>(&value)) absl::StrAppend(&text, "day ", *v);
    if (const auto* v = std::get_if<records::Decimal128>(&value))
      text += records::FormatDecimal(*v, 0);
    if (const auto* v = std::get_if<std::string>(&value))
      absl::StrAppend(&text, "'", *v, "' (", HexEncode(*v), ")");
  }
  return text;
}

TableData Numbers(int64_t rows, size_t text_width) {
  TableData table;
  table.name = "numbers";
  table.fields = {{"id", {TypeId::kInt64}, false}, {"name", {TypeId::kUtf8}}};
  table.key = {0};
  for (int64_t i = 1; i <= rows; ++i) {
    std::string text = absl::StrCat(i);
    text.resize(std::max(text_width, text.size()), '.');
    table.rows.push_back({i, std::move(text)});
  }
  return table;
}

}  // namespace sluice::adapters::conformance
