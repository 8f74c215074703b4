#include "tests/conformance/copybook_under_test.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/copybook/copybook_adapter.h"
#include "adapters/files/files_testing.h"
#include "adapters/registry.h"
#include "gateway/records/value_text.h"

namespace sluice::adapters::conformance {
namespace {

using records::Decimal128;
using records::TypeId;

constexpr size_t kMostInWord = 65'531;

std::string Digits(Decimal128 value, int count) {
  if (value < 0) value = -value;
  std::string digits;
  for (int i = 0; i < count; ++i, value /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
  return digits;
}

std::string PackedBytes(Decimal128 value, int digits) {
  const std::string text = Digits(value, digits | 1) + (value < 0 ? "\x0D" : "\x0C");
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<char>((text[i] & 0x0F) << 4 | (text[i + 1] & 0x0F)));
  return bytes;
}

std::string BigEndian(uint64_t value, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

class CopybookUnderTest : public AdapterUnderTest {
 public:
  explicit CopybookUnderTest(CopybookVariant variant) : variant_(variant) {}

  void Make(const TableData& table) override { Write(table); }

  Source AsSource() const override {
    Settings settings = settings_;
    settings.insert({{"folder", folder_.path()},
                     {"copybook", beside_.PathOf("record.cob")},
                     {"copybook_format", "free"},
                     {"encoding", rdw() ? "gb18030" : "utf-8"},
                     {"float_format", "ieee"},
                     {"trim", "none"},
                     {"low_values", "text"},
                     {"work_folder", beside_.path()}});
    return {"copybook", settings};
  }

  std::unique_ptr<Adapter> Open() override {
    const Settings settings = AsSource().settings;
    const files::Budgets small = {
        .sort_bytes = 4'096, .block_bytes = 4'096, .merge_width = 2, .mark_bytes = 512};
    auto adapter = rdw() ? OpenCopybook(settings, small) : FindKind("copybook")->open(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }

  void SpoilValue(const TableData& table, int field, int64_t row) override {
    spoilt_.insert({field, row});
    Write(table);
  }

  void Break() override { folder_.Remove(); }

 private:
  bool rdw() const { return variant_ == CopybookVariant::kRdw; }

  // Any bits are a float, so that a bad one can only be written as text.
  static bool AsText(const TableData& table, const records::DataType& type) {
    return type.id == TypeId::kTimestamp ||
           (type.id == TypeId::kFloat64 && table.name == "spoilable");
  }
  static std::string TextOfCell(const records::Scalar& value, const records::DataType& type) {
    if (type.id == TypeId::kTimestamp)
      return records::FormatTimestamp(std::get<int64_t>(value), type.utc);
    std::string text;
    records::AppendFloat64(std::get<double>(value), text);
    return text;
  }

  std::string Encode(const records::Scalar& value, TypeId type) const {
    const auto& text = std::get<std::string>(value);
    if (type == TypeId::kBinary || !rdw()) return text;
    return files::Encoded(text, files::Encoding::kGb18030);
  }

  // The bytes that the longest value of a field takes.
  size_t WidestOf(const TableData& table, size_t field) const {
    size_t widest = 1;
    for (const Row& row : table.rows)
      if (std::holds_alternative<std::string>(row[field]))
        widest = std::max(widest, Encode(row[field], table.fields[field].type.id).size());
    return widest;
  }

  void Write(const TableData& table) {
    DescribeRecord(table);
    std::vector<int64_t> order(table.rows.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
    if (rdw()) {
      std::sort(order.begin(), order.end(),
                [](int64_t a, int64_t b) { return (a * 7'919) % 104'729 < (b * 7'919) % 104'729; });
    }
    std::string bytes;
    for (const int64_t row : order) {
      std::string record;
      for (size_t i = 0; i < table.fields.size(); ++i) AddField(table, i, row, record);
      if (settings_.contains("rdw_order"))
        bytes += BigEndian(record.size() + 4, 2) + std::string(2, '\0');
      bytes += record;
    }
    folder_.Write(table.name + ".dat", bytes);
  }

  // The copybook, and what an operator says of the table.
  void DescribeRecord(const TableData& table) {
    std::string text = "01 RECORD.\n";
    std::string key, companions;
    size_t size = 0;
    widths_.clear();
    for (size_t i = 0; i < table.fields.size(); ++i) {
      const records::Field& field = table.fields[i];
      const std::string& name = field.name;
      widths_.push_back(WidestOf(table, i));
      absl::StrAppend(&text, "  05 ", name, "-IND PIC X.\n");
      settings_["null_if." + name] = name + "-IND=N";
      absl::StrAppend(&companions, companions.empty() ? "" : ",", name, "-IND");
      if (field.type.id == TypeId::kUtf8 || field.type.id == TypeId::kBinary) {
        absl::StrAppend(&text, "  05 ", name, "-LEN PIC S9(9) COMP.\n");
        settings_["length_of." + name] = name + "-LEN";
        absl::StrAppend(&companions, ",", name, "-LEN");
      }
      absl::StrAppend(&text, "  05 ", name, " ", PictureOf(table, i), ".\n");
      settings_[absl::StrCat("type.", table.name, "/", name)] = records::ToString(field.type);
      size += widths_.back() + 48;
    }
    for (const int field : table.key)
      absl::StrAppend(&key, key.empty() ? "" : ",", table.fields[field].name);
    settings_["key." + table.name] = key;
    settings_["leave_out"] = companions;
    if (rdw() && size < kMostInWord)
      settings_.insert({{"record_format", "rdw"}, {"rdw_order", "big"}});
    beside_.Write("record.cob", text);
  }

  std::string PictureOf(const TableData& table, size_t i) const {
    const records::DataType& type = table.fields[i].type;
    const std::string numbers = rdw() ? " SIGN LEADING SEPARATE" : " COMP-3";
    if (AsText(table, type)) return "PIC X(40)";
    switch (type.id) {
      case TypeId::kBool:
        return "PIC 9";
      case TypeId::kInt64:
        return "PIC S9(19)" + numbers;
      case TypeId::kFloat64:
        return "COMP-2";
      case TypeId::kDecimal128:
        return absl::StrCat("PIC S9(", type.precision - type.scale, ")V9(", type.scale, ")",
                            numbers);
      case TypeId::kDate32:
        return "PIC 9(8)";
      default:
        return absl::StrCat("PIC X(", widths_[i], ")");
    }
  }

  std::string NumberBytes(Decimal128 value, int digits) const {
    if (!rdw()) return PackedBytes(value, digits);
    return (value < 0 ? "-" : "+") + Digits(value, digits);
  }

  void AddField(const TableData& table, size_t i, int64_t row, std::string& record) {
    const records::DataType& type = table.fields[i].type;
    const records::Scalar& value = table.rows[row][i];
    const bool null = std::holds_alternative<std::monostate>(value);
    record.push_back(null ? 'N' : ' ');
    const bool spoilt = spoilt_.contains({static_cast<int>(i), row});
    const size_t begin = record.size();
    if (AsText(table, type)) {
      std::string text = null ? "" : TextOfCell(value, type);
      text.resize(40, ' ');
      record += text;
    } else if (type.id == TypeId::kBool) {
      record.push_back(!null && std::get<bool>(value) ? '1' : '0');
    } else if (type.id == TypeId::kInt64) {
      record += NumberBytes(null ? 0 : std::get<int64_t>(value), 19);
    } else if (type.id == TypeId::kFloat64) {
      const double real = null ? 0 : std::get<double>(value);
      uint64_t bits = 0;
      std::memcpy(&bits, &real, sizeof(bits));
      record += BigEndian(bits, 8);
    } else if (type.id == TypeId::kDecimal128) {
      record += NumberBytes(null ? 0 : std::get<Decimal128>(value), type.precision);
    } else if (type.id == TypeId::kDate32) {
      std::string day = null ? "00000000" : records::FormatDate(std::get<int32_t>(value));
      std::erase(day, '-');
      record += day;
    } else {
      std::string text = null ? "" : Encode(value, type.id);
      record += BigEndian(text.size(), 4);
      text.resize(widths_[i], '\0');
      record += text;
    }
    if (spoilt) std::fill(record.begin() + static_cast<int64_t>(begin), record.end(), '?');
  }

  const CopybookVariant variant_;
  files::TestFolder folder_;
  files::TestFolder beside_;
  Settings settings_ = {{"bool_words", "1,0"}};
  std::vector<size_t> widths_;  // of the table's texts
  std::set<std::pair<int, int64_t>> spoilt_;
};

}  // namespace

KindUnderTest CopybookKind(std::string name, CopybookVariant variant) {
  KindUnderTest kind;
  kind.name = std::move(name);
  kind.make = [variant] { return std::make_unique<CopybookUnderTest>(variant); };
  kind.deviations = {{"HostileNamesOfTablesAndColumnsAreNames",
                      "names of COBOL are letters, digits, hyphens and underscores"}};
  return kind;
}

}  // namespace sluice::adapters::conformance
