#include "tests/conformance/delimited_under_test.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "adapters/delimited/delimited_adapter.h"
#include "adapters/files/files_testing.h"
#include "adapters/registry.h"
#include "gateway/base/crypto.h"
#include "gateway/records/value_text.h"

namespace sluice::adapters::conformance {
using files::Encoding;
using records::TypeId;

std::string FileText(const records::Scalar& value, const records::DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return std::get<bool>(value) ? "true" : "false";
    case TypeId::kInt64:
      return absl::StrCat(std::get<int64_t>(value));
    case TypeId::kFloat64: {
      std::string text;
      records::AppendFloat64(std::get<double>(value), text);
      return text;
    }
    case TypeId::kDecimal128:
      return records::FormatDecimal(std::get<records::Decimal128>(value), type.scale);
    case TypeId::kDate32:
      return records::FormatDate(std::get<int32_t>(value));
    case TypeId::kTimestamp:
      return records::FormatTimestamp(std::get<int64_t>(value), type.utc);
    case TypeId::kUtf8:
      return std::get<std::string>(value);
    case TypeId::kBinary:
      return HexEncode(std::get<std::string>(value));
  }
  return "";
}

const char* BadTextOf(const records::DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return "7";
    case TypeId::kDecimal128:
      return "1.234";
    case TypeId::kDate32:
      return "2026-02-30";
    case TypeId::kTimestamp:
      return "yesterday";
    default:
      return "abc";
  }
}

std::string AsListEntry(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

namespace {

class DelimitedUnderTest : public AdapterUnderTest {
 public:
  explicit DelimitedUnderTest(DelimitedVariant variant) : variant_(variant) {
    if (variant == DelimitedVariant::kTabs) separator_ = '\t';
    if (variant == DelimitedVariant::kGb18030) separator_ = '|';
  }

  void Make(const TableData& table) override { Write(table); }

  Source AsSource() const override {
    Settings settings = settings_;
    settings["work_folder"] = work_.path();
    switch (variant_) {
      case DelimitedVariant::kPlain:
      case DelimitedVariant::kShuffled:
        break;
      case DelimitedVariant::kOneFile:
        settings["skip_lines"] = "1";
        break;
      case DelimitedVariant::kTabs:
        settings.insert({{"separator", "tab"}, {"escape", "backslash"}, {"header", "no"}});
        break;
      case DelimitedVariant::kGb18030:
        settings.insert({{"separator", "bar"}, {"encoding", "gb18030"}});
        break;
      case DelimitedVariant::kUtf16:
        settings["encoding"] = "utf-16le";
        break;
    }
    if (variant_ == DelimitedVariant::kOneFile) {
      settings["file"] = file_;
    } else {
      settings["folder"] = folder_.path();
    }
    return {"delimited", settings};
  }

  std::unique_ptr<Adapter> Open() override {
    const Settings settings = AsSource().settings;
    const files::Budgets small = {
        .sort_bytes = 4'096, .block_bytes = 4'096, .merge_width = 2, .mark_bytes = 512};
    auto adapter = variant_ == DelimitedVariant::kShuffled ? OpenDelimited(settings, small)
                                                           : FindKind("delimited")->open(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }

  void SpoilValue(const TableData& table, int field, int64_t row) override {
    spoilt_[{field, row}] = BadTextOf(table.fields[field].type);
    Write(table);
  }

  void Break() override { folder_.Remove(); }

 private:
  std::string Quoted(std::string_view text) const {
    std::string quoted = "\"";
    for (const char c : text) {
      const bool backslash = variant_ == DelimitedVariant::kTabs && (c == '\\' || c == '"');
      if (backslash) quoted.push_back('\\');
      if (c == '"' && !backslash) quoted.push_back('"');
      quoted.push_back(c);
    }
    return quoted + "\"";
  }

  void Write(const TableData& table) {
    std::string text;
    if (variant_ == DelimitedVariant::kOneFile) text = "\uFEFFA title, with \"quotes\r\n";
    if (variant_ == DelimitedVariant::kUtf16) text = "\uFEFF";
    Describe(table);
    if (variant_ != DelimitedVariant::kTabs) text += Header(table);
    std::vector<int64_t> order(table.rows.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
    if (variant_ == DelimitedVariant::kShuffled) {
      // Neither ascending nor descending, and the same each time.
      std::sort(order.begin(), order.end(),
                [](int64_t a, int64_t b) { return (a * 7'919) % 104'729 < (b * 7'919) % 104'729; });
    }
    for (const int64_t row : order) text += Line(table, row);
    const std::string name = table.name + ".csv";
    file_ = folder_.PathOf(name);
    folder_.Write(name, files::Encoded(text, EncodingOfVariant()));
  }

  Encoding EncodingOfVariant() const {
    if (variant_ == DelimitedVariant::kGb18030) return Encoding::kGb18030;
    if (variant_ == DelimitedVariant::kUtf16) return Encoding::kUtf16Le;
    return Encoding::kUtf8;
  }

  // As its owner would say of it in the settings.
  void Describe(const TableData& table) {
    std::string key, columns;
    for (const int field : table.key)
      absl::StrAppend(&key, key.empty() ? "" : ",", AsListEntry(table.fields[field].name));
    for (const records::Field& field : table.fields) {
      settings_[absl::StrCat("type.", table.name, "/", field.name)] = records::ToString(field.type);
      absl::StrAppend(&columns, columns.empty() ? "" : ",", AsListEntry(field.name));
    }
    settings_["key." + table.name] = key;
    if (variant_ == DelimitedVariant::kTabs) settings_["columns"] = columns;
  }

  std::string Header(const TableData& table) const {
    std::string line;
    for (const records::Field& field : table.fields) {
      if (!line.empty()) line.push_back(separator_);
      line += Quoted(field.name);
    }
    return line + "\r\n";
  }

  std::string Line(const TableData& table, int64_t row) const {
    std::string line;
    for (size_t i = 0; i < table.fields.size(); ++i) {
      if (i > 0) line.push_back(separator_);
      const auto spoilt = spoilt_.find({static_cast<int>(i), row});
      if (spoilt != spoilt_.end()) {
        line += spoilt->second;
        continue;
      }
      const records::Scalar& value = table.rows[row][i];
      if (std::holds_alternative<std::monostate>(value)) continue;
      const std::string text = FileText(value, table.fields[i].type);
      const TypeId type = table.fields[i].type.id;
      line += type == TypeId::kUtf8 || type == TypeId::kBinary ? Quoted(text) : text;
    }
    return line + "\r\n";
  }

  const DelimitedVariant variant_;
  char separator_ = ',';
  files::TestFolder folder_;
  files::TestFolder work_;
  std::string file_;
  Settings settings_;
  std::map<std::pair<int, int64_t>, std::string> spoilt_;
};

}  // namespace

KindUnderTest DelimitedKind(std::string name, DelimitedVariant variant) {
  KindUnderTest kind;
  kind.name = std::move(name);
  kind.make = [variant] { return std::make_unique<DelimitedUnderTest>(variant); };
  return kind;
}

}  // namespace sluice::adapters::conformance
