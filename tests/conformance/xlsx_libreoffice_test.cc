// Workbooks that LibreOffice writes, read by us: what is typed there is what is lent here.
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "adapters/files/files_testing.h"
#include "adapters/registry.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using records::TypeId;

constexpr const char* kSoffice = "/usr/bin/soffice";

constexpr const char* kDocument = R"(<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles>
 <number:date-style style:name="N1"><number:year number:style="long"/><number:text>-</number:text>
  <number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/>
 </number:date-style>
 <number:date-style style:name="N2"><number:day/><number:text>.</number:text><number:month/>
  <number:text>.</number:text><number:year number:style="long"/><number:text> </number:text>
  <number:hours/><number:text>:</number:text><number:minutes number:style="long"/>
  <number:text>:</number:text><number:seconds number:style="long"/></number:date-style>
 <number:boolean-style style:name="N3"><number:boolean/></number:boolean-style>
 <style:style style:name="truth" style:family="table-cell" style:data-style-name="N3"/>
 <style:style style:name="day" style:family="table-cell" style:data-style-name="N1"/>
 <style:style style:name="moment" style:family="table-cell" style:data-style-name="N2"/>
</office:automatic-styles>
<office:body><office:spreadsheet>
<table:table table:name="People">
 <table:table-row>
  <table:table-cell office:value-type="string" table:number-rows-spanned="2"><text:p>id</text:p></table:table-cell>
  <table:table-cell office:value-type="string" table:number-columns-spanned="2"><text:p>name</text:p></table:table-cell>
  <table:covered-table-cell/>
  <table:table-cell office:value-type="string" table:number-rows-spanned="2"><text:p>born</text:p></table:table-cell>
  <table:table-cell office:value-type="string" table:number-rows-spanned="2"><text:p>seen</text:p></table:table-cell>
  <table:table-cell office:value-type="string" table:number-rows-spanned="2"><text:p>alive</text:p></table:table-cell>
  <table:table-cell office:value-type="string" table:number-rows-spanned="2"><text:p>income</text:p></table:table-cell>
  <table:table-cell office:value-type="string" table:number-rows-spanned="2"><text:p>twice</text:p></table:table-cell>
 </table:table-row>
 <table:table-row>
  <table:covered-table-cell/>
  <table:table-cell office:value-type="string"><text:p>first</text:p></table:table-cell>
  <table:table-cell office:value-type="string"><text:p>last</text:p></table:table-cell>
 </table:table-row>
 <table:table-row>
  <table:table-cell office:value-type="float" office:value="1"/>
  <table:table-cell office:value-type="string"><text:p>Änne &amp; &lt;Bo&gt;</text:p><text:p>second line</text:p></table:table-cell>
  <table:table-cell office:value-type="string"><text:p>李<text:span>雷</text:span></text:p></table:table-cell>
  <table:table-cell table:style-name="day" office:value-type="date" office:date-value="1961-04-12"/>
  <table:table-cell table:style-name="moment" office:value-type="date" office:date-value="2026-11-24T13:45:10"/>
  <table:table-cell table:style-name="truth" office:value-type="boolean" office:boolean-value="true"/>
  <table:table-cell office:value-type="float" office:value="1234.1"/>
  <table:table-cell table:formula="of:=[.G3]*2" office:value-type="float" office:value="2468.2"/>
 </table:table-row>
 <table:table-row>
  <table:table-cell office:value-type="float" office:value="2"/>
  <table:table-cell/><table:table-cell/><table:table-cell/><table:table-cell/>
  <table:table-cell table:style-name="truth" office:value-type="boolean" office:boolean-value="false"/>
  <table:table-cell office:value-type="float" office:value="0.1"/>
  <table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value=""/>
 </table:table-row>
</table:table>
<table:table table:name="Places"><table:table-row>
  <table:table-cell office:value-type="string"><text:p>code</text:p></table:table-cell></table:table-row>
 <table:table-row><table:table-cell office:value-type="string"><text:p>007</text:p></table:table-cell></table:table-row>
</table:table>
</office:spreadsheet></office:body></office:document>
)";

class XlsxLibreOfficeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kSoffice)) GTEST_SKIP() << "no LibreOffice at " << kSoffice;
    folder_.Write("register.fods", kDocument);
    // A profile of its own: nothing is left in the account's, and runs do not meet.
    const std::string command =
        absl::StrCat("HOME='", profile_.path(), "' ", kSoffice, " '-env:UserInstallation=file://",
                     profile_.path(), "/profile' --headless --convert-to xlsx --outdir '",
                     folder_.path(), "' '", folder_.PathOf("register.fods"), "' >/dev/null 2>&1");
    ASSERT_EQ(std::system(command.c_str()), 0);
    ASSERT_TRUE(std::filesystem::exists(folder_.PathOf("register.xlsx")));
  }

  std::vector<Row> Read(const std::string& table,
                        const std::vector<std::pair<std::string, records::DataType>>& columns,
                        int64_t* bad_values) {
    const FakeClock clock;
    const auto adapter =
        FindKind("xlsx")->open({{"folder", folder_.path()}, {"header_rows.register/People", "2"}});
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    ScanRequest request;
    request.table = table;
    request.on_bad_value = OnBadValue::kNullAndCount;
    for (const auto& [name, type] : columns) request.fields.push_back({name, {name, type}});
    auto reader = (*adapter)->Scan(request, {&clock, 0, nullptr});
    std::vector<records::RecordBatch> batches;
    for (;;) {
      auto batch = (*reader)->Next();
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || !batch->has_value()) break;
      batches.push_back(**std::move(batch));
    }
    *bad_values = (*reader)->bad_values();
    return RowsOf(batches);
  }

  files::TestFolder folder_, profile_;
};

TEST_F(XlsxLibreOfficeTest, WhatWasTypedIsWhatIsRead) {
  const records::DataType text{TypeId::kUtf8}, money{TypeId::kDecimal128, 12, 2};
  int64_t bad = 0;
  const auto people = Read("register/People",
                           {{"id", {TypeId::kInt64}},
                            {"name first", text},
                            {"name last", text},
                            {"born", {TypeId::kDate32}},
                            {"seen", {TypeId::kTimestamp}},
                            {"alive", {TypeId::kBool}},
                            {"income", money},
                            {"twice", money}},
                           &bad);
  const int32_t born = *records::ParseDate("1961-04-12");
  const int64_t seen = *records::ParseTimestamp("2026-11-24T13:45:10", false);
  const std::monostate null;
  ASSERT_EQ(people.size(), 2u);
  EXPECT_EQ(people[0], (Row{int64_t{1}, "Änne & <Bo>\nsecond line", "李雷", born, seen, true,
                            records::Decimal128{123'410}, records::Decimal128{246'820}}))
      << Show(people[0]);
  EXPECT_EQ(people[1],
            (Row{int64_t{2}, null, null, null, null, false, records::Decimal128{10}, null}))
      << Show(people[1]);
  EXPECT_EQ(bad, 1) << "one divided by nothing";
  EXPECT_EQ(Read("register/Places", {{"code", text}}, &bad), (std::vector<Row>{{"007"}}));
}

}  // namespace
}  // namespace sluice::adapters::conformance
