// What is a file's own: its faults, its changes under a read, its encodings, what an index costs.
#include "adapters/delimited/delimited_adapter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/files_testing.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::delimited {
namespace {

using files::Budgets;
using files::Encoded;
using files::Encoding;
using files::OpenFilesUnder;
using files::TestFolder;

using records::Op;
using records::Predicate;
using records::TypeId;

class DelimitedAdapterTest : public testing::Test {
 protected:
  std::unique_ptr<Adapter> Open(Settings settings = {}, const Budgets& budgets = {}) {
    settings.insert({{"folder", folder_.path()}, {"work_folder", work_.path()}});
    auto adapter = OpenDelimited(settings, budgets);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  static ScanRequest Texts(const std::vector<std::string>& columns,
                           const std::string& table = "t") {
    ScanRequest request;
    request.table = table;
    for (const std::string& column : columns)
      request.fields.push_back({column, {column, {TypeId::kUtf8}}});
    return request;
  }
  // Of `numbers`: an int64 key `id`, a text `name`.
  static ScanRequest Numbers() {
    ScanRequest request = Texts({"id", "name"});
    request.fields[0].field.type = {TypeId::kInt64};
    request.key = {0};
    return request;
  }
  static std::string NumbersText(int64_t rows, bool ascending = true) {
    std::string text = "id,name\n";
    for (int64_t i = 1; i <= rows; ++i)
      absl::StrAppend(&text, ascending ? i : rows + 1 - i, ",somebody\n");
    return text;
  }
  struct Outcome {
    std::vector<std::vector<std::string>> rows;
    absl::Status status;
    std::string version;
  };
  // The whole scan; of text columns the values, "∅" for null.
  Outcome Scan(Adapter& adapter, ScanRequest request) {
    Outcome outcome;
    auto reader = *adapter.Scan(std::move(request), {&clock_, 0, nullptr});
    for (;;) {
      const auto batch = reader->Next();
      outcome.status = batch.status();
      outcome.version = reader->version().version;
      if (!batch.ok() || !batch->has_value()) return outcome;
      for (int64_t i = 0; i < (*batch)->rows(); ++i) {
        auto& row = outcome.rows.emplace_back();
        for (const records::Column& column : (*batch)->columns()) {
          if (column.IsNull(i)) {
            row.emplace_back("∅");
          } else if (column.type().id == TypeId::kInt64) {
            row.push_back(absl::StrCat(column.Int64(i)));
          } else {
            row.emplace_back(column.Bytes(i));
          }
        }
      }
    }
  }
  // Of a scan of column `a` of a file that holds `text`.
  absl::Status StatusOf(const std::string& text, const Settings& settings = {}) {
    folder_.Write("t.csv", text);
    return Scan(*Open(settings), Texts({"a"})).status;
  }

  TestFolder folder_, work_;
  FakeClock clock_;
};

using Rows = std::vector<std::vector<std::string>>;

TEST_F(DelimitedAdapterTest, EmptyIsNullAndQuotedEmptyIsText) {
  folder_.Write("t.csv", "a,b\n,\"\"\nNULL,\"NULL\"\n");
  EXPECT_EQ(Scan(*Open(), Texts({"a", "b"})).rows, (Rows{{"∅", ""}, {"NULL", "NULL"}}));
  EXPECT_EQ(Scan(*Open({{"empty", "text"}, {"quoted_empty", "null"}, {"null_words", "NULL"}}),
                 Texts({"a", "b"}))
                .rows,
            (Rows{{"", "∅"}, {"∅", "NULL"}}));
}

TEST_F(DelimitedAdapterTest, QuotingAndEscapesAreTakenOut) {
  folder_.Write("t.csv", "\"a\"\"b\",c\r\n\"x\"\"\"\"y\",\"p\r\nq\"\r\n");
  EXPECT_EQ(Scan(*Open(), Texts({"a\"b", "c"})).rows, (Rows{{"x\"\"y", "p\r\nq"}}));
  folder_.Write("t.csv", "a,c\nx\\,y\\\\,\"p\\\"q\"\"r\"\n\\N,5\" z\n");
  const Settings wild = {{"escape", "backslash"}, {"stray_quotes", "keep"}, {"null_words", "\\N"}};
  EXPECT_EQ(Scan(*Open(wild), Texts({"a", "c"})).rows,
            (Rows{{"x,y\\", "p\"q\"r"}, {"∅", "5\" z"}}));
}

TEST_F(DelimitedAdapterTest, WhatTheSettingsAllowIsLeftOut) {
  folder_.Write("t.csv", "A title, \"odd\n\na;b\n1;2;\n\n3;4;");
  const Settings wild = {{"separator", "semicolon"},
                         {"skip_lines", "1"},
                         {"trailing_separator", "drop"},
                         {"blank_lines", "skip"},
                         {"last_line_end", "optional"}};
  EXPECT_EQ(Scan(*Open(wild), Texts({"b", "a"})).rows, (Rows{{"2", "1"}, {"4", "3"}}));
  for (const auto& [name, value] : wild) {
    Settings stricter = wild;
    stricter.erase(name);
    EXPECT_FALSE(Scan(*Open(stricter), Texts({"b", "a"})).status.ok()) << name;
  }
}

TEST_F(DelimitedAdapterTest, ATrailingSeparatorOfTheHeaderIsNoColumn) {
  folder_.Write("t.csv", "a,b,\n1,2,\n3,4\n");
  EXPECT_EQ(Scan(*Open({{"trailing_separator", "drop"}}), Texts({"b"})).rows, (Rows{{"2"}, {"4"}}));
}

TEST_F(DelimitedAdapterTest, AFileWithoutHeaderHasNumberedOrNamedColumns) {
  folder_.Write("t.csv", "1,2\n3,4\n");
  EXPECT_EQ(Scan(*Open({{"header", "no"}}), Texts({"column2"})).rows, (Rows{{"2"}, {"4"}}));
  EXPECT_EQ(Scan(*Open({{"header", "no"}, {"columns", "x,y"}}), Texts({"y", "x"})).rows,
            (Rows{{"2", "1"}, {"4", "3"}}));
  EXPECT_EQ(ReasonOf(Scan(*Open({{"header", "no"}, {"columns", "x"}}), Texts({"x"})).status),
            v1::REASON_SOURCE_BAD_VALUE);
}

TEST_F(DelimitedAdapterTest, EveryEncodingIsReadAndItsMarkLeftOut) {
  const std::string text = "a,b\n\"é\",1\n";
  const std::string chinese = "a,b\n\"中文,一\"\"丁\",1\n";
  const std::vector<std::pair<const char*, Encoding>> encodings = {
      {"utf-8", Encoding::kUtf8},       {"gb18030", Encoding::kGb18030},
      {"gbk", Encoding::kGbk},          {"big5", Encoding::kBig5},
      {"utf-16le", Encoding::kUtf16Le}, {"utf-16be", Encoding::kUtf16Be}};
  for (const auto& [name, encoding] : encodings) {
    folder_.Write("t.csv", Encoded(chinese, encoding));
    const Outcome outcome = Scan(*Open({{"encoding", name}}), Texts({"a", "b"}));
    EXPECT_EQ(outcome.rows, (Rows{{"中文,一\"丁", "1"}})) << name << outcome.status;
    if (encoding == Encoding::kGbk || encoding == Encoding::kBig5) continue;
    folder_.Write("t.csv", Encoded("\uFEFF" + chinese, encoding));
    EXPECT_EQ(Scan(*Open({{"encoding", name}}), Texts({"a"})).rows, (Rows{{"中文,一\"丁"}}))
        << name;
  }
  folder_.Write("t.csv", Encoded(text, Encoding::kLatin1));
  EXPECT_EQ(Scan(*Open({{"encoding", "latin-1"}}), Texts({"a"})).rows, (Rows{{"é"}}));
}

TEST_F(DelimitedAdapterTest, BytesOfAnotherEncodingAreBadAndNeverReplaced) {
  struct Case {
    const char* encoding;
    std::string bytes;
  };
  for (const Case& one :
       {Case{"utf-8", "a\n\xC3\x28\n"}, Case{"utf-8", "a\n\xED\xA0\x80\n"},
        Case{"gbk", "a\n\x81\x30\x81\x30\n"}, Case{"big5", "a\n\x81\x30\n"},
        Case{"gb18030", "a\n\xFF\n"}, Case{"utf-16le", std::string("a\0\n\0\0\xD8\n\0", 8)}}) {
    const absl::Status status = StatusOf(one.bytes, {{"encoding", one.encoding}});
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE) << one.encoding << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "line 2, column 'a'")) << status;
  }
  EXPECT_TRUE(absl::StrContains(StatusOf("\xFF\xFE"
                                         "a\n")
                                    .message(),
                                "byte order mark"));
  EXPECT_FALSE(StatusOf("\xEF\xBB\xBF"
                        "a\n",
                        {{"encoding", "gbk"}})
                   .ok());
}

TEST_F(DelimitedAdapterTest, BadRowsNameTheLineOnWhichTheyBegin) {
  struct Case {
    std::string rows;
    const char* says;
  };
  for (const Case& one :
       {Case{"1,\"x\ny\"\n2\n", "line 4: the row has 1 fields, and the table 2"},
        Case{"1,2\n1,2,3\n", "line 3: the row has 3 fields"},
        Case{"1,2,\n", "it ends in a separator"}, Case{"1,2\n\n", "line 3: the row has 1 fields"},
        Case{"1,2\n3,\"4\n5,6\n", "line 3, column 'b': is quoted and never closed"},
        Case{"1,2\n3,4", "line 3, column 'b': ends without a line end"},
        Case{std::string("1,2\n\0,4\n", 8), "line 3, column 'a': holds a NUL"}}) {
    const absl::Status status = StatusOf("a,b\n" + one.rows);
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE);
    EXPECT_TRUE(absl::StrContains(status.message(), one.says)) << status;
    EXPECT_TRUE(ErrorInfoOf(status)->metadata().contains("line"));
  }
}

TEST_F(DelimitedAdapterTest, BadRowsStopEvenWhereBadValuesAreCounted) {
  folder_.Write("t.csv", "id,name\n1,x\n2\n");
  ScanRequest request = Numbers();
  request.on_bad_value = OnBadValue::kNullAndCount;
  EXPECT_EQ(ReasonOf(Scan(*Open(), request).status), v1::REASON_SOURCE_BAD_VALUE);
  request.key.clear();
  EXPECT_EQ(ReasonOf(Scan(*Open(), request).status), v1::REASON_SOURCE_BAD_VALUE);
}

TEST_F(DelimitedAdapterTest, RowsOfAnySizeAreRefusedInBoundedMemory) {
  const Settings small = {{"most_row_bytes", "1024"}};
  for (const std::string& row :
       {std::string(5'000'000, 'x') + "\n", "\"" + std::string(5'000'000, '"'),
        "\"" + std::string(5'000'000, '\n')}) {
    const absl::Status status = StatusOf("a\n" + row, small);
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE);
    EXPECT_TRUE(absl::StrContains(status.message(), "line 2: a row of over 1024 bytes")) << status;
  }
  const absl::Status wide = StatusOf("a" + std::string(1'000'000, ',') + "\n");
  EXPECT_TRUE(absl::StrContains(wide.message(), "over 4096 columns")) << wide;
  EXPECT_TRUE(absl::StrContains(StatusOf("a\n" + std::string(1'000'000, ',') + "\n").message(),
                                "the row has over 4096 fields"));
}

TEST_F(DelimitedAdapterTest, HeadersThatNameNothingAreRefused) {
  EXPECT_EQ(ReasonOf(StatusOf("")), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_EQ(ReasonOf(StatusOf("\xff,a\n")), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_EQ(ReasonOf(StatusOf("a,a\n1,2\n")), v1::REASON_SCHEMA_DRIFT) << "which one?";
  EXPECT_TRUE(StatusOf("A,b\n1,2\n").ok()) << "case means nothing where it decides nothing";
  EXPECT_EQ(ReasonOf(StatusOf("b\n1\n")), v1::REASON_SCHEMA_DRIFT);
}

TEST_F(DelimitedAdapterTest, AFileWithoutHeaderHidesNoOtherAndIsNotHidden) {
  folder_.Write("empty.csv", "");
  const auto adapter = Open();
  EXPECT_EQ(ReasonOf(adapter->Describe("", {&clock_, 0, nullptr}).status()),
            v1::REASON_SOURCE_BAD_VALUE);
  folder_.Write("t.csv", "a\n1\n");
  const auto described = adapter->Describe("", {&clock_, 0, nullptr});
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ(described->size(), 1u);
}

TEST_F(DelimitedAdapterTest, ARepeatedKeyNamesBothLines) {
  for (const char* rows : {"1,x\n2,\"y\ny\"\n2,z\n", "3,x\n2,\"y\ny\"\n2,z\n"}) {
    folder_.Write("t.csv", std::string("id,name\n") + rows);
    const absl::Status status = Scan(*Open(), Numbers()).status;
    EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT);
    EXPECT_TRUE(absl::StrContains(status.message(), "lines 3 and 5")) << status;
  }
}

TEST_F(DelimitedAdapterTest, NothingOutsideOfTheFolderIsATable) {
  TestFolder secret;
  secret.Write("secret.csv", "a\nx\n");
  folder_.Write("t.csv", "a\n1\n");
  std::filesystem::create_symlink(secret.PathOf("secret.csv"), folder_.PathOf("link.csv"));
  std::filesystem::create_directory(folder_.PathOf("sub"));
  folder_.Write("sub/inner.csv", "a\n1\n");
  folder_.Write(".hidden.csv", "a\n1\n");
  ASSERT_EQ(mkfifo(folder_.PathOf("pipe.csv").c_str(), 0600), 0);
  const auto adapter = Open();
  const std::string up =
      "../" + std::filesystem::path(secret.path()).filename().string() + "/secret";
  for (const std::string& table :
       {up, secret.PathOf("secret"), std::string("link"), std::string("sub/inner"),
        std::string(".hidden"), std::string(".."), std::string(), std::string("pipe"),
        std::string("t\0", 2), std::string(5'000, 'x')}) {
    EXPECT_FALSE(Scan(*adapter, Texts({"a"}, table)).status.ok()) << table;
  }
  const auto described = adapter->Describe("", {&clock_, 0, nullptr});
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ(described->size(), 1u);
  EXPECT_EQ((*described)[0].table, "t");
}

TEST_F(DelimitedAdapterTest, AFileThatCannotBeReadIsUnavailable) {
  std::filesystem::create_directory(folder_.PathOf("t.csv"));
  EXPECT_EQ(ReasonOf(Scan(*Open(), Texts({"a"})).status), v1::REASON_SOURCE_UNAVAILABLE);
  std::filesystem::remove(folder_.PathOf("t.csv"));
  folder_.Write("t.csv", "a\n1\n");
  if (geteuid() != 0) {
    chmod(folder_.PathOf("t.csv").c_str(), 0);
    EXPECT_EQ(ReasonOf(Scan(*Open(), Texts({"a"})).status), v1::REASON_SOURCE_UNAVAILABLE);
  }
  for (const Settings& nowhere :
       {Settings{{"file", folder_.PathOf("none.csv")}}, Settings{{"folder", "/nonexistent"}}})
    EXPECT_EQ(ReasonOf(OpenDelimited(nowhere).status()), v1::REASON_SOURCE_UNAVAILABLE);
}

// Each happens behind the first batch of a scan.
TEST_F(DelimitedAdapterTest, AFileThatChangesUnderAReadIsNeverAMixture) {
  const std::string text = NumbersText(100'000);
  const std::string path = folder_.PathOf("t.csv");
  std::string other = text;
  other.replace(text.size() - 9, 8, "nobodies");
  const std::vector<std::pair<std::string, std::function<void()>>> changes = {
      {"cut short", [&] { std::filesystem::resize_file(path, 300'000); }},
      {"emptied", [&] { std::filesystem::resize_file(path, 0); }},
      {"appended", [&] { std::ofstream(path, std::ios::app) << "100001,new\n"; }},
      {"rewritten in place, same size and time",
       [&] {
         struct stat info;
         ASSERT_EQ(stat(path.c_str(), &info), 0);
         std::fstream(path, std::ios::in | std::ios::out | std::ios::binary) << other;
         const struct timespec times[2] = {info.st_atim, info.st_mtim};
         ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
       }},
      {"replaced", [&] { folder_.Write("t.csv", other); }},
      {"gone", [&] { std::filesystem::remove(path); }},
      {"a link now", [&] {
         std::filesystem::rename(path, path + ".old");
         std::filesystem::create_symlink(path + ".old", path);
       }}};
  for (const auto& [name, change] : changes) {
    for (const bool keyed : {false, true}) {
      std::filesystem::remove(path);
      folder_.Write("t.csv", text);
      const auto adapter = Open();
      ScanRequest request = Numbers();
      if (!keyed) request.key.clear();
      auto reader = *adapter->Scan(request, {&clock_, 0, nullptr});
      ASSERT_TRUE(reader->Next().ok());
      change();
      auto batch = reader->Next();
      if (name == "replaced") {
        // Who reads what was replaced whole finishes on it.
        int64_t rows = 0;
        for (; batch.ok() && batch->has_value(); batch = reader->Next()) rows += (*batch)->rows();
        EXPECT_TRUE(batch.ok()) << batch.status();
        EXPECT_GT(rows, 50'000);
        continue;
      }
      const auto expected =
          name == "gone" ? v1::REASON_SOURCE_UNAVAILABLE : v1::REASON_SOURCE_CHANGED;
      EXPECT_EQ(ReasonOf(batch.status()), expected) << name << ": " << batch.status();
      EXPECT_EQ(ReasonOf(reader->Next().status()), expected) << "and stays ended";
    }
  }
}

TEST_F(DelimitedAdapterTest, TheVersionIsTheDigestWhateverTheNameAndTime) {
  const std::string text = NumbersText(10);
  folder_.Write("t.csv", text);
  const auto adapter = Open();
  const std::string version = Scan(*adapter, Numbers()).version;
  EXPECT_EQ(version, HexEncode(AsBytes(Sha256(text))));
  folder_.Write("t.csv", text);
  EXPECT_EQ(Scan(*adapter, Numbers()).version, version) << "brought again";
  folder_.WriteInPlace("t.csv", NumbersText(11));
  const Outcome after = Scan(*adapter, Numbers());
  EXPECT_NE(after.version, version);
  EXPECT_EQ(after.rows.size(), 11u);
  const auto described = adapter->Describe("t", {&clock_, 0, nullptr});
  ASSERT_TRUE(described.ok());
  EXPECT_EQ((*described)[0].version.version, after.version);
  EXPECT_TRUE((*described)[0].snapshot);
}

// Written at the very moment of the read, over and over: old or new, never both.
TEST_F(DelimitedAdapterTest, RewritesInTheSameTickAreNoticed) {
  folder_.Write("t.csv", "a\n0000\n");
  const auto adapter = Open();
  for (int i = 1; i < 30; ++i) {
    const std::string value = absl::StrCat(1'000 + i);
    folder_.WriteInPlace("t.csv", "a\n" + value + "\n");
    EXPECT_EQ(Scan(*adapter, Texts({"a"})).rows, (Rows{{value}}));
  }
}

// Bytes that this process read from files, through any of its calls.
int64_t BytesRead() {
  std::ifstream io("/proc/self/io");
  std::string name;
  int64_t bytes = 0;
  io >> name >> bytes;
  return bytes;
}

TEST_F(DelimitedAdapterTest, ALookupReadsTheFileOnceAndThenAWindow) {
  for (const bool ascending : {true, false}) {
    const std::string text = NumbersText(200'000, ascending);
    folder_.Write("t.csv", text);
    const auto adapter = Open();
    ScanRequest request = Numbers();
    request.predicate = Predicate{Op::kEqual, 0, {int64_t{123'456}}, {}};
    request.rows_wanted = 2;
    ASSERT_EQ(Scan(*adapter, request).rows, (Rows{{"123456", "somebody"}}));
    const int64_t before = BytesRead();
    for (int64_t id = 1; id <= 200'000; id += 20'000) {
      request.predicate.values = {id};
      ASSERT_EQ(Scan(*adapter, request).rows, (Rows{{absl::StrCat(id), "somebody"}}));
    }
    EXPECT_LT(BytesRead() - before, 1 << 20) << (ascending ? "in order" : "sorted");
    request.predicate.values = {int64_t{200'001}};
    EXPECT_TRUE(Scan(*adapter, request).rows.empty());
  }
}

// Asks for the deadline's clock this often, then it has passed.
class PatientClock : public FakeClock {
 public:
  explicit PatientClock(int looks) : left_(looks) {}
  Micros Monotonic() const override {
    return --left_ > 0 ? FakeClock::Monotonic() : FakeClock::Monotonic() + kHour;
  }

 private:
  mutable std::atomic<int> left_;
};

TEST_F(DelimitedAdapterTest, CallsThatEndEarlyBringTheIndexOnTogether) {
  folder_.Write("t.csv", NumbersText(200'000, false));
  const auto adapter = Open({}, {.sort_bytes = 64 << 10});
  absl::Status status;
  int calls = 0;
  for (; calls < 10'000; ++calls) {
    PatientClock clock(20);
    ScanRequest request = Numbers();
    request.rows_wanted = 2;
    auto reader = *adapter->Scan(request, {&clock, clock_.Monotonic() + kMinute, nullptr});
    status = reader->Next().status();
    if (status.ok()) break;
    ASSERT_EQ(ReasonOf(status), v1::REASON_DEADLINE_EXCEEDED);
  }
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_GT(calls, 3);
  EXPECT_EQ(Scan(*adapter, Numbers()).rows.size(), 200'000u);
}

TEST_F(DelimitedAdapterTest, ManyScansAtOnceBuildOneIndex) {
  folder_.Write("t.csv", NumbersText(100'000, false));
  const auto adapter = Open();
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] { right += Scan(*adapter, Numbers()).rows.size() == 100'000; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8);
}

TEST_F(DelimitedAdapterTest, CancelEndsAnIndexThatIsBeingBuilt) {
  folder_.Write("t.csv", NumbersText(1'000'000, false));
  const auto adapter = Open();
  auto reader = *adapter->Scan(Numbers(), {&clock_, 0, nullptr});
  absl::Status status;
  std::atomic<bool> begun{false};
  std::thread reading([&] {
    begun = true;
    status = reader->Next().status();
  });
  while (!begun) std::this_thread::yield();
  reader->Cancel();
  const auto cancelled = std::chrono::steady_clock::now();
  reading.join();
  EXPECT_EQ(ReasonOf(status), v1::REASON_CANCELLED);
  EXPECT_LT(std::chrono::steady_clock::now() - cancelled, std::chrono::seconds(1));
}

TEST_F(DelimitedAdapterTest, ErrorsHoldNoValueAndNoPath) {
  for (const std::string& text : {std::string("id,name\n440304199001011234X,x\n"),
                                  std::string("id,name\n1,440304199001011234\"\n"),
                                  std::string("id,name\n1,440304199001011234,3\n"),
                                  std::string("id,name\n1,440304199001011234")}) {
    folder_.Write("t.csv", text);
    const absl::Status status = Scan(*Open(), Numbers()).status;
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE);
    EXPECT_FALSE(absl::StrContains(status.ToString(), "440304199001011234"));
    EXPECT_FALSE(absl::StrContains(status.ToString(), folder_.path()));
  }
}

// Records that are no rows, where the dataset has them rejected.
TEST_F(DelimitedAdapterTest, BadRecordsAreLeftOutCountedAndKeptForTheirOwner) {
  const TestFolder rejects;
  folder_.Write("t.csv", "id,name\n3,c\n1,a\nx,y\n2,b,extra\n2,\"b,\"\n4\n");
  const auto adapter = Open({{"reject_folder", rejects.path()}});
  ScanRequest request = Numbers();
  request.table = "t";
  EXPECT_EQ(ReasonOf(Scan(*adapter, request).status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_TRUE(rejects.Names().empty());

  request.on_bad_record = OnBadRecord::kRejectAndCount;
  const auto reader = *adapter->Scan(request, {&clock_, 0, nullptr});
  const auto batch = reader->Next();
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ((*batch)->rows(), 3);
  EXPECT_EQ((*batch)->column(1).Bytes(1), "b,");
  EXPECT_EQ(reader->version().rejected_records, 3);

  ASSERT_EQ(rejects.Names().size(), 1U);
  const std::string name = rejects.Names()[0];
  EXPECT_EQ(name, "t." + reader->version().version.substr(0, 12) + ".rejects.csv");
  EXPECT_EQ(
      rejects.Read(name),
      "line,offset,reason,bytes_hex\n"
      "4,16,\"table 't', line 4, column 'id': not a int64\",782c790a\n"
      "5,20,\"table 't', line 5: the row has 3 fields, and the table 2\",322c622c65787472610a\n"
      "7,37,\"table 't', line 7: the row has 1 fields, and the table 2\",340a\n");

  // Without a key the value is a value, and only what is no row is left out; lookups too.
  ScanRequest unordered = Texts({"id", "name"});
  unordered.on_bad_record = OnBadRecord::kRejectAndCount;
  EXPECT_EQ(Scan(*adapter, unordered).rows.size(), 4U);
  request.predicate = Predicate{Op::kEqual, 0, {int64_t{2}}, {}};
  EXPECT_EQ(Scan(*adapter, request).rows, (std::vector<std::vector<std::string>>{{"2", "b,"}}));
}

TEST_F(DelimitedAdapterTest, WhereBadRecordsCannotBeKeptNoneIsLeftOut) {
  folder_.Write("t.csv", "id,name\n1,a\n2\n");
  ScanRequest request = Texts({"name"});
  request.on_bad_record = OnBadRecord::kRejectAndCount;
  EXPECT_EQ(ReasonOf(Scan(*Open(), request).status), v1::REASON_SCHEMA_DRIFT);
  const absl::Status status = Scan(*Open({{"reject_folder", "/nowhere"}}), request).status;
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(status.message(), "is reject_folder there")) << status;
  // A quote that is never closed hides where the next record begins.
  const TestFolder rejects;
  folder_.Write("t.csv", "id,name\n1,\"a\n2,b\n");
  EXPECT_EQ(ReasonOf(Scan(*Open({{"reject_folder", rejects.path()}}), request).status),
            v1::REASON_SOURCE_BAD_VALUE);
}

TEST_F(DelimitedAdapterTest, TooManyBadRecordsStopTheRead) {
  const TestFolder rejects;
  std::string text = "id,name\n";
  for (int i = 0; i < 10'001; ++i) text += "x\n";
  folder_.Write("t.csv", text);
  ScanRequest request = Texts({"name"});
  request.on_bad_record = OnBadRecord::kRejectAndCount;
  const absl::Status status = Scan(*Open({{"reject_folder", rejects.path()}}), request).status;
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_TRUE(absl::StrContains(status.message(), "over 10000 records")) << status;
  EXPECT_TRUE(rejects.Names().empty());
}

}  // namespace
}  // namespace sluice::adapters::delimited
