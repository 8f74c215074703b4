#include "tests/conformance/xlsx_under_test.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "adapters/files/files_testing.h"
#include "adapters/registry.h"
#include "adapters/xlsx/xlsx_adapter.h"
#include "adapters/xlsx/xlsx_testing.h"
#include "gateway/base/crypto.h"
#include "gateway/records/value_text.h"

namespace sluice::adapters::conformance {
namespace {

using records::TypeId;

// From there on dates have numbers of their own.
constexpr int32_t kFirstNumberedDay = -25'508;  // 1900-03-01
constexpr int32_t kDayOfSerial0 = -25'569;
constexpr records::Decimal128 kMostShown = 999'999'999'999'999;

class XlsxUnderTest : public AdapterUnderTest {
 public:
  explicit XlsxUnderTest(XlsxVariant variant) : variant_(variant) {}

  void Make(const TableData& table) override { Write(table); }

  Source AsSource() const override {
    Settings settings = settings_;
    settings["work_folder"] = work_.path();
    settings["folder"] = folder_.path();
    if (variant_ == XlsxVariant::kShared) settings["sheet"] = "2";
    return {"xlsx", settings};
  }

  std::unique_ptr<Adapter> Open() override {
    const Settings settings = AsSource().settings;
    const files::Budgets small = {
        .sort_bytes = 4'096, .block_bytes = 4'096, .merge_width = 2, .mark_bytes = 512};
    auto adapter = variant_ == XlsxVariant::kShared ? OpenXlsx(settings, small)
                                                    : FindKind("xlsx")->open(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }

  void SpoilValue(const TableData& table, int field, int64_t row) override {
    spoilt_.insert({field, row});
    Write(table);
  }

  void Break() override { folder_.Remove(); }

 private:
  std::string TextAsCell(const std::string& text) {
    if (variant_ == XlsxVariant::kInline) return xlsx::TextCell(text);
    absl::StrAppend(&shared_, "<si><t>", xlsx::Escaped(text), "</t></si>");
    return xlsx::SharedCell(shared_count_++);
  }

  std::string CellOf(const records::Scalar& value, const records::DataType& type) {
    if (std::holds_alternative<std::monostate>(value)) return xlsx::NoCell();
    switch (type.id) {
      case TypeId::kBool:
        return xlsx::TypedCell("b", std::get<bool>(value) ? "1" : "0");
      case TypeId::kInt64:
        return xlsx::NumberCell(absl::StrCat(std::get<int64_t>(value)));
      case TypeId::kFloat64: {
        const double number = std::get<double>(value);
        std::string text;
        records::AppendFloat64(number, text);
        return std::isfinite(number) ? xlsx::NumberCell(text) : TextAsCell(text);
      }
      case TypeId::kDecimal128: {
        const auto decimal = std::get<records::Decimal128>(value);
        const std::string text = records::FormatDecimal(decimal, type.scale);
        const bool shown = decimal <= kMostShown && decimal >= -kMostShown;
        return shown ? xlsx::NumberCell(text) : TextAsCell(text);
      }
      case TypeId::kDate32: {
        const int32_t day = std::get<int32_t>(value);
        if (day < kFirstNumberedDay) return TextAsCell(records::FormatDate(day));
        return xlsx::NumberCell(absl::StrCat(day - kDayOfSerial0), 1);
      }
      case TypeId::kTimestamp:  // numbers have no room for microseconds
        return TextAsCell(records::FormatTimestamp(std::get<int64_t>(value), type.utc));
      case TypeId::kUtf8:
        return TextAsCell(std::get<std::string>(value));
      case TypeId::kBinary:
        return TextAsCell(HexEncode(std::get<std::string>(value)));
    }
    return xlsx::NoCell();
  }

  void Write(const TableData& table) {
    shared_.clear();
    shared_count_ = 0;
    std::vector<int64_t> order(table.rows.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
    if (variant_ == XlsxVariant::kShared) {
      // Neither ascending nor descending, and the same each time.
      std::sort(order.begin(), order.end(),
                [](int64_t a, int64_t b) { return (a * 7'919) % 104'729 < (b * 7'919) % 104'729; });
    }
    xlsx::TestSheet sheet;
    std::vector<std::string> cells;
    for (const records::Field& field : table.fields) cells.push_back(TextAsCell(field.name));
    sheet.Row(cells);
    for (const int64_t row : order) {
      cells.clear();
      for (size_t i = 0; i < table.fields.size(); ++i) {
        const bool bad = spoilt_.contains({static_cast<int>(i), row});
        cells.push_back(bad ? xlsx::TypedCell("e", "#N/A")
                            : CellOf(table.rows[row][i], table.fields[i].type));
      }
      sheet.Row(cells);
    }
    xlsx::TestWorkbook book;
    book.formats = {"yyyy-mm-dd"};
    book.shared = shared_;
    if (variant_ == XlsxVariant::kShared)
      book.sheets.emplace_back("Other", xlsx::TestSheet().Xml());
    book.sheets.emplace_back("Table", sheet.Xml());
    DescribeInSettings(table);
    folder_.Write(table.name + ".xlsx", book.Bytes());
  }

  // As its owner would say of it in the settings.
  void DescribeInSettings(const TableData& table) {
    std::string key;
    for (const int field : table.key)
      absl::StrAppend(&key, key.empty() ? "" : ",", table.fields[field].name);
    for (const records::Field& field : table.fields)
      settings_[absl::StrCat("type.", table.name, "/", field.name)] = records::ToString(field.type);
    settings_["key." + table.name] = key;
  }

  const XlsxVariant variant_;
  files::TestFolder folder_;
  files::TestFolder work_;
  Settings settings_;
  std::string shared_;
  int shared_count_ = 0;
  std::set<std::pair<int, int64_t>> spoilt_;
};

}  // namespace

KindUnderTest XlsxKind(std::string name, XlsxVariant variant) {
  KindUnderTest kind;
  kind.name = std::move(name);
  kind.make = [variant] { return std::make_unique<XlsxUnderTest>(variant); };
  return kind;
}

}  // namespace sluice::adapters::conformance
