// Files that a COBOL program wrote: GnuCOBOL compiles one around the copybook that the adapter then
// reads the file by.
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "adapters/copybook/copybook_adapter.h"
#include "adapters/files/files_testing.h"
#include "gateway/base/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::copybook {
namespace {

using testing::ElementsAre;

constexpr char kRecord[] =
    "       01  REC.\n"
    "           05  ID-NO        PIC 9(6).\n"
    "           05  ZONED        PIC S9(7)V99.\n"
    "           05  LEAD-SIGN    PIC S9(4) SIGN LEADING.\n"
    "           05  OWN-SIGN     PIC S9(4) SIGN TRAILING SEPARATE.\n"
    "           05  BIN-2        PIC S9(2) COMP.\n"
    "           05  BIN-9        PIC S9(9) COMP.\n"
    "           05  BIN-18       PIC S9(17)V9 COMP.\n"
    "           05  NATIVE-9     PIC S9(9) COMP-5.\n"
    "           05  PACKED-17    PIC S9(15)V99 COMP-3.\n"
    "           05  PACKED-31    PIC S9(31) COMP-3.\n"
    "           05  PACKED-5     PIC 9(5) COMP-6.\n"
    "           05  FLOAT-4      COMP-1.\n"
    "           05  FLOAT-8      COMP-2.\n"
    "           05  NAME-TEXT    PIC X(12).\n"
    "           05  PRINTED      PIC -Z,ZZ9.99.\n"
    "           05  PART-COUNT   PIC 9.\n"
    "           05  PARTS OCCURS 0 TO 3 TIMES DEPENDING ON PART-COUNT.\n"
    "               10  PART-NO  PIC 9(3) COMP-3.\n"
    "               10  PART-ID  PIC X(2).\n";

constexpr char kProgram[] =
    "       IDENTIFICATION DIVISION.\n"
    "       PROGRAM-ID. WRITER.\n"
    "       ENVIRONMENT DIVISION.\n"
    "       INPUT-OUTPUT SECTION.\n"
    "       FILE-CONTROL.\n"
    "           SELECT F ASSIGN TO \"t.dat\" ORGANIZATION SEQUENTIAL.\n"
    "       DATA DIVISION.\n"
    "       FILE SECTION.\n"
    "       FD F.\n"
    "       COPY \"record.cpy\".\n"
    "       PROCEDURE DIVISION.\n"
    "           OPEN OUTPUT F\n"
    "           MOVE 3 TO PART-COUNT\n"
    "           MOVE 0 TO PART-NO(3)\n"
    "           MOVE \"CC\" TO PART-ID(3)\n"
    "           MOVE 123 TO ID-NO\n"
    "           MOVE -12345.67 TO ZONED\n"
    "           MOVE -42 TO LEAD-SIGN\n"
    "           MOVE -43 TO OWN-SIGN\n"
    "           MOVE -9 TO BIN-2\n"
    "           MOVE -123456789 TO BIN-9\n"
    "           MOVE 12345678901234567.8 TO BIN-18\n"
    "           MOVE -987654321 TO NATIVE-9\n"
    "           MOVE -123456789012345.67 TO PACKED-17\n"
    "           MOVE 1234567890123456789012345678901 TO PACKED-31\n"
    "           MOVE 54321 TO PACKED-5\n"
    "           MOVE 1.5 TO FLOAT-4\n"
    "           MOVE -0.1 TO FLOAT-8\n"
    "           MOVE \"Ada\" TO NAME-TEXT\n"
    "           MOVE -1234.5 TO PRINTED\n"
    "           MOVE 7 TO PART-NO(1)\n"
    "           MOVE \"AA\" TO PART-ID(1)\n"
    "           MOVE 999 TO PART-NO(2)\n"
    "           MOVE \"BB\" TO PART-ID(2)\n"
    "           MOVE 2 TO PART-COUNT\n"
    "           WRITE REC\n"
    "           MOVE 124 TO ID-NO\n"
    "           MOVE 12345.67 TO ZONED\n"
    "           MOVE 42 TO LEAD-SIGN\n"
    "           MOVE 0 TO OWN-SIGN BIN-2 BIN-9 BIN-18 NATIVE-9\n"
    "           MOVE 0 TO PACKED-17 PACKED-31 PACKED-5 FLOAT-4 FLOAT-8\n"
    "           MOVE SPACES TO NAME-TEXT\n"
    "           MOVE 0 TO PRINTED\n"
    "           MOVE 0 TO PART-COUNT\n"
    "           WRITE REC\n"
    "           CLOSE F\n"
    "           STOP RUN.\n";

class CobolProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v cobc > /dev/null") != 0) GTEST_SKIP() << "no cobc: gnucobol3";
  }

  // Compiles and runs the program, and reads what it wrote.
  std::vector<std::string> WriteAndRead(const std::string& record, Settings settings) {
    folder_.Write("record.cpy", record);
    folder_.Write("writer.cob", kProgram);
    const std::string command =
        absl::StrCat("cd ", folder_.path(), " && cobc -x -o writer writer.cob 2>&1 && ./writer");
    EXPECT_EQ(std::system(command.c_str()), 0);
    settings.insert({{"file", folder_.PathOf("t.dat")},
                     {"copybook", folder_.PathOf("record.cpy")},
                     {"encoding", "us-ascii"},
                     {"binary_sizes", "1-2-4-8"},
                     {"comp5_order", "little"},
                     {"float_format", "ieee_little"},
                     {"edited", "numbers"}});
    std::vector<std::string> rows;
    auto adapter = OpenCopybook(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    if (!adapter.ok()) return rows;
    const FakeClock clock;
    const CallContext context{&clock, 0, nullptr};
    const auto described = (*adapter)->Describe("t", context);
    EXPECT_TRUE(described.ok()) << described.status();
    if (!described.ok()) return rows;
    ScanRequest request;
    request.table = "t";
    for (const ColumnDescription& column : (*described)[0].columns)
      request.fields.push_back({column.name, {column.name, column.type, true}});
    auto reader = *(*adapter)->Scan(request, context);
    for (auto batch = reader->Next(); batch->has_value(); batch = reader->Next()) {
      for (int64_t row = 0; row < (*batch)->rows(); ++row) {
        std::vector<std::string> values;
        for (const records::Column& column : (*batch)->columns())
          values.push_back(Shown(column, row));
        rows.push_back(absl::StrJoin(values, "|"));
      }
    }
    return rows;
  }

  static std::string Shown(const records::Column& column, int64_t row) {
    using records::TypeId;
    if (column.IsNull(row)) return "∅";
    if (column.type().id == TypeId::kInt64) return absl::StrCat(column.Int64(row));
    if (column.type().id == TypeId::kFloat64) return absl::StrCat(column.Float64(row));
    if (column.type().id == TypeId::kDecimal128)
      return records::FormatDecimal(column.Decimal(row), column.type().scale);
    return std::string(column.Bytes(row));
  }

  files::TestFolder folder_;
};

constexpr char kFirst[] =
    "123|-12345.67|-42|-43|-9|-123456789|12345678901234567.8|-987654321|-123456789012345.67|"
    "1234567890123456789012345678901|54321|1.5|-0.1|Ada|-1234.50|2|";
constexpr char kSecond[] = "124|12345.67|42|0|0|0|0.0|0|0.00|0|0|0|0||0.00|0|";

TEST_F(CobolProgramTest, RecordsAsLongAsTheirTables) {
  // GnuCOBOL puts the length before each record, as a descriptor word that does not count itself.
  EXPECT_THAT(
      WriteAndRead(kRecord, {{"record_format", "rdw"}, {"rdw_counts_itself", "no"}}),
      ElementsAre(absl::StrCat(kFirst, "7|999|∅|AA|BB|∅"), absl::StrCat(kSecond, "∅|∅|∅|∅|∅|∅")));
}

TEST_F(CobolProgramTest, RecordsOfOneLength) {
  const std::string record =
      absl::StrReplaceAll(kRecord, {{"0 TO 3 TIMES DEPENDING ON PART-COUNT", "3 TIMES"}});
  EXPECT_THAT(WriteAndRead(record, {}), ElementsAre(absl::StrCat(kFirst, "7|999|0|AA|BB|CC"),
                                                    absl::StrCat(kSecond, "7|999|0|AA|BB|CC")));
}

}  // namespace
}  // namespace sluice::adapters::copybook
