#include "adapters/xlsx/xlsx_testing.h"

#include <minizip/zip.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/files/files_testing.h"
#include "adapters/xlsx/sheet.h"
#include "gtest/gtest.h"

namespace sluice::adapters::xlsx {
namespace {

constexpr const char* kMain = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
constexpr const char* kOffice =
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
constexpr const char* kPackage = "http://schemas.openxmlformats.org/package/2006/relationships";

std::string RelationXml(std::string_view id, std::string_view type, std::string_view target) {
  return absl::StrCat("<Relationship Id=\"", std::string(id), "\" Type=\"", kOffice, "/",
                      std::string(type), "\" Target=\"", std::string(target), "\"/>");
}

std::string RelationsXml(const std::string& relations) {
  return absl::StrCat("<Relationships xmlns=\"", kPackage, "\">", relations, "</Relationships>");
}

}  // namespace

std::string TestArchive(const std::vector<std::pair<std::string, std::string>>& parts) {
  const files::TestFolder folder;
  const std::string path = folder.PathOf("made.zip");
  const zipFile zip = zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  EXPECT_NE(zip, nullptr);
  for (const auto& [name, bytes] : parts) {
    const zip_fileinfo info{};
    EXPECT_EQ(
        zipOpenNewFileInZip64(zip, name.c_str(), &info, nullptr, 0, nullptr, 0, nullptr, 8, 6, 0),
        ZIP_OK);
    EXPECT_EQ(zipWriteInFileInZip(zip, bytes.data(), static_cast<unsigned>(bytes.size())), ZIP_OK);
    EXPECT_EQ(zipCloseFileInZip(zip), ZIP_OK);
  }
  EXPECT_EQ(zipClose(zip, nullptr), ZIP_OK);
  return folder.Read("made.zip");
}

std::string Escaped(std::string_view text) {
  std::string xml;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    // What looks like an escape has its underscore escaped.
    if (c == '_' && text.substr(i).starts_with("_x")) {
      xml += "_x005F_";
    } else if (c == '<') {
      xml += "&lt;";
    } else if (c == '&') {
      xml += "&amp;";
    } else if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
      xml += absl::StrCat("_x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad4), "_");
    } else {
      xml.push_back(c);
    }
  }
  return xml;
}

std::string TextCell(std::string_view text) {
  return absl::StrCat("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">", Escaped(text),
                      "</t></is></c>");
}

std::string SharedCell(int number) { return absl::StrCat("<c t=\"s\"><v>", number, "</v></c>"); }

std::string NumberCell(std::string_view number, int style) {
  return absl::StrCat("<c s=\"", style, "\"><v>", std::string(number), "</v></c>");
}

std::string TypedCell(std::string_view type, std::string_view value) {
  return absl::StrCat("<c t=\"", std::string(type), "\"><v>", Escaped(value), "</v></c>");
}

std::string NoCell() { return ""; }

void TestSheet::Row(const std::vector<std::string>& cells, int64_t number) {
  last_ = number == 0 ? last_ + 1 : number;
  absl::StrAppend(&rows_, "<row r=\"", last_, "\">");
  for (uint32_t column = 0; column < cells.size(); ++column) {
    if (cells[column].empty()) continue;
    absl::StrAppend(&rows_, "<c r=\"", ColumnLetters(column), last_, "\"", cells[column].substr(2));
  }
  rows_ += "</row>";
}

std::string TestSheet::Xml() const {
  std::string xml = absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?><worksheet xmlns=\"",
                                 kMain, "\"><sheetData>", rows_, "</sheetData>");
  if (!merged_.empty()) xml += "<mergeCells>";
  for (const std::string& reference : merged_)
    absl::StrAppend(&xml, "<mergeCell ref=\"", reference, "\"/>");
  if (!merged_.empty()) xml += "</mergeCells>";
  return xml + "</worksheet>";
}

std::vector<std::pair<std::string, std::string>> TestWorkbook::Parts() const {
  std::vector<std::pair<std::string, std::string>> parts;
  std::string list, relations = RelationXml("s", "sharedStrings", "sharedStrings.xml") +
                                RelationXml("f", "styles", "/xl/styles.xml");
  for (size_t i = 0; i < sheets.size(); ++i) {
    const std::string& name = sheets[i].first;
    const bool hides = std::find(hidden.begin(), hidden.end(), name) != hidden.end();
    absl::StrAppend(&list, "<sheet name=\"", Escaped(name), "\" sheetId=\"", i + 1, "\"",
                    hides ? " state=\"hidden\"" : "", " r:id=\"r", i, "\"/>");
    const std::string part = absl::StrCat("worksheets/sheet", i + 1, ".xml");
    relations += RelationXml(absl::StrCat("r", i), "worksheet", part);
    parts.emplace_back("xl/" + part, sheets[i].second);
  }
  std::string codes, cells = "<xf numFmtId=\"0\"/>";
  for (size_t i = 0; i < formats.size(); ++i) {
    absl::StrAppend(&codes, "<numFmt numFmtId=\"", 164 + i, "\" formatCode=\"");
    for (const char c : formats[i]) codes += c == '"' ? "&quot;" : std::string(1, c);
    codes += "\"/>";
    absl::StrAppend(&cells, "<xf numFmtId=\"", 164 + i, "\"/>");
  }
  parts.emplace_back("_rels/.rels",
                     RelationsXml(RelationXml("w", "officeDocument", "xl/workbook.xml")));
  parts.emplace_back(
      "xl/workbook.xml",
      absl::StrCat("<workbook xmlns=\"", kMain, "\" xmlns:r=\"", kOffice, "\"><workbookPr",
                   from_1904 ? " date1904=\"1\"" : "", "/><sheets>", list, "</sheets></workbook>"));
  parts.emplace_back("xl/_rels/workbook.xml.rels", RelationsXml(relations));
  parts.emplace_back("xl/sharedStrings.xml",
                     absl::StrCat("<sst xmlns=\"", kMain, "\">", shared, "</sst>"));
  parts.emplace_back("xl/styles.xml",
                     absl::StrCat("<styleSheet xmlns=\"", kMain, "\"><numFmts>", codes,
                                  "</numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
                                  "<cellXfs>",
                                  cells, "</cellXfs></styleSheet>"));
  return parts;
}

}  // namespace sluice::adapters::xlsx
