// A sheet of half a gigabyte of XML, with a table of shared texts as long, is unpacked and read
// with the memory that one of some megabytes takes. Prints what it costs.
#include <minizip/zip.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "adapters/files/files_testing.h"
#include "adapters/xlsx/xlsx_adapter.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::xlsx {
namespace {

using files::TestFolder;
using records::TypeId;

constexpr int64_t kFewRows = 50'000;
constexpr int64_t kManyRows = 2'000'000;
constexpr int64_t kMostMoreKib = 6 << 10;  // of pages that allocators keep

// Writes a part in pieces.
class Part {
 public:
  Part(zipFile zip, const char* name) : zip_(zip) {
    const zip_fileinfo info{};
    EXPECT_EQ(zipOpenNewFileInZip64(zip, name, &info, nullptr, 0, nullptr, 0, nullptr, 8, 1, 1),
              ZIP_OK);
  }
  ~Part() {
    Write();
    EXPECT_EQ(zipCloseFileInZip(zip_), ZIP_OK);
  }
  template <class... Args>
  void Add(const Args&... args) {
    absl::StrAppend(&text_, args...);
    if (text_.size() > 1 << 20) Write();
  }

 private:
  void Write() {
    EXPECT_EQ(zipWriteInFileInZip(zip_, text_.data(), static_cast<unsigned>(text_.size())), ZIP_OK);
    text_.clear();
  }
  const zipFile zip_;
  std::string text_;
};

constexpr const char* kSheets = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
constexpr const char* kOffice =
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
constexpr const char* kRelations =
    "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">";

// Each name is another, and shared.
void WriteWorkbook(const std::string& path, int64_t rows) {
  const zipFile zip = zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  Part(zip, "_rels/.rels")
      .Add(kRelations, "<Relationship Id=\"a\" Type=\"x/officeDocument\" Target=\"w\"/>",
           "</Relationships>");
  Part(zip, "_rels/w.rels")
      .Add(kRelations, "<Relationship Id=\"a\" Type=\"x/worksheet\" Target=\"s\"/>",
           "<Relationship Id=\"b\" Type=\"x/sharedStrings\" Target=\"t\"/></Relationships>");
  Part(zip, "w").Add("<workbook xmlns=\"", kSheets, "\" xmlns:r=\"", kOffice,
                     "\"><sheets><sheet name=\"S\" r:id=\"a\"/></sheets></workbook>");
  {
    Part texts(zip, "t");
    texts.Add("<sst xmlns=\"", kSheets, "\"><si><t>id</t></si><si><t>name</t></si>");
    for (int64_t i = 0; i < rows; ++i)
      texts.Add("<si><t xml:space=\"preserve\">somebody of this town, ", i * 7'919 % rows,
                "</t></si>");
    texts.Add("</sst>");
  }
  {
    Part sheet(zip, "s");
    sheet.Add("<worksheet xmlns=\"", kSheets, "\"><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\">",
              "<v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>");
    for (int64_t i = 0; i < rows; ++i)
      sheet.Add("<row r=\"", i + 2, "\" spans=\"1:2\" ht=\"15\" customHeight=\"false\"><c r=\"A",
                i + 2, "\" s=\"0\"><v>", 440'304'199'001 + i, "</v></c><c r=\"B", i + 2,
                "\" s=\"0\" t=\"s\"><v>", i + 2, "</v></c></row>");
    sheet.Add("</sheetData></worksheet>");
  }
  EXPECT_EQ(zipClose(zip, nullptr), ZIP_OK);
}

int64_t CountSheetRows(Adapter& adapter) {
  const FakeClock clock;
  ScanRequest request;
  request.table = "register";
  request.fields = {{"id", {"id", {TypeId::kInt64}}}, {"name", {"name", {TypeId::kUtf8}}}};
  request.key = {0};
  auto reader = adapter.Scan(request, {&clock, 0, nullptr});
  int64_t rows = 0;
  for (;;) {
    const auto batch = (*reader)->Next();
    if (!batch.ok()) std::fprintf(stderr, "%s\n", batch.status().ToString().c_str());
    if (!batch.ok()) return -1;
    if (!batch->has_value()) return rows;
    rows += (*batch)->rows();
  }
}

// Of the processor, by this process.
double SpentSeconds() {
  struct timespec spent;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

// Reads it twice, in a process of its own; its peak of resident memory, in KiB.
int64_t PeakOfReadingSheet(const TestFolder& folder, const TestFolder& work, int64_t rows) {
  const pid_t child = fork();
  if (child == 0) {
    const auto adapter = OpenXlsx({{"folder", folder.path()}, {"work_folder", work.path()}});
    if (!adapter.ok()) _exit(2);
    const double began = SpentSeconds();
    if (CountSheetRows(**adapter) != rows) _exit(1);
    const double first = SpentSeconds() - began;
    const double again = SpentSeconds();
    if (CountSheetRows(**adapter) != rows) _exit(1);
    const double second = SpentSeconds() - again;
    std::printf("%12" PRId64 " rows: first read %.2f s, each other %.2f s (%.0f rows/s)\n", rows,
                first, second, static_cast<double>(rows) / second);
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  struct rusage usage;
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return usage.ru_maxrss;
}

TEST(XlsxGrowthTest, ManyRowsTakeTheMemoryOfFew) {
  int64_t peaks[2] = {};
  for (const int64_t rows : {kFewRows, kManyRows}) {
    const TestFolder folder, work;
    WriteWorkbook(folder.PathOf("register.xlsx"), rows);
    peaks[rows == kManyRows] = PeakOfReadingSheet(folder, work, rows);
  }
  std::printf("peak %" PRId64 " KiB against %" PRId64 " KiB\n", peaks[1], peaks[0]);
  EXPECT_LE(peaks[1], peaks[0] + kMostMoreKib);
}

}  // namespace
}  // namespace sluice::adapters::xlsx
