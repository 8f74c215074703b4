#include "tests/conformance/fixed_under_test.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/files/files_testing.h"
#include "adapters/registry.h"
#include "tests/conformance/delimited_under_test.h"

namespace sluice::adapters::conformance {
namespace {

// Fills fields up, and stands in no text of the cases; so that text may end in blanks.
constexpr char kPad = '\x1F';
constexpr char kNull[] = "\x1EN";

// Records one behind the other, without line ends: text may hold those too.
class FixedUnderTest : public AdapterUnderTest {
 public:
  void Make(const TableData& table) override { Write(table); }

  Source AsSource() const override {
    Settings settings = settings_;
    settings.insert({{"folder", folder_.path()},
                     {"work_folder", work_.path()},
                     {"record_end", "none"},
                     {"pad", "0x1F"},
                     {"blank", "text"},
                     {"null_words", kNull}});
    return {"fixed", settings};
  }

  std::unique_ptr<Adapter> Open() override {
    auto adapter = FindKind("fixed")->open(AsSource().settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }

  void SpoilValue(const TableData& table, int field, int64_t row) override {
    spoilt_[{field, row}] = BadTextOf(table.fields[field].type);
    Write(table);
  }

  void Break() override { folder_.Remove(); }

 private:
  void Write(const TableData& table) {
    std::vector<std::vector<std::string>> texts;
    std::vector<size_t> widths(table.fields.size(), sizeof(kNull));
    for (size_t row = 0; row < table.rows.size(); ++row) {
      auto& line = texts.emplace_back();
      for (size_t i = 0; i < table.fields.size(); ++i) {
        const records::Scalar& value = table.rows[row][i];
        const auto spoilt = spoilt_.find({static_cast<int>(i), static_cast<int64_t>(row)});
        line.push_back(spoilt != spoilt_.end() ? spoilt->second
                       : std::holds_alternative<std::monostate>(value)
                           ? kNull
                           : FileText(value, table.fields[i].type));
        widths[i] = std::max(widths[i], line.back().size());
      }
    }
    std::string bytes, layout, key;
    for (auto& line : texts)
      for (size_t i = 0; i < line.size(); ++i)
        bytes += line[i].append(widths[i] - line[i].size(), kPad);
    for (size_t i = 0; i < widths.size(); ++i) {
      const records::Field& field = table.fields[i];
      absl::StrAppend(&layout, layout.empty() ? "" : ",",
                      AsListEntry(absl::StrCat(field.name, ":", widths[i])));
      settings_[absl::StrCat("type.", table.name, "/", field.name)] = records::ToString(field.type);
    }
    for (const int field : table.key)
      absl::StrAppend(&key, key.empty() ? "" : ",", AsListEntry(table.fields[field].name));
    settings_["layout." + table.name] = layout;
    settings_["key." + table.name] = key;
    folder_.Write(table.name + ".txt", bytes);
  }

  files::TestFolder folder_;
  files::TestFolder work_;
  Settings settings_;
  std::map<std::pair<int, int64_t>, std::string> spoilt_;
};

}  // namespace

KindUnderTest FixedKind(std::string name) {
  KindUnderTest kind;
  kind.name = std::move(name);
  kind.make = [] { return std::make_unique<FixedUnderTest>(); };
  return kind;
}

}  // namespace sluice::adapters::conformance
