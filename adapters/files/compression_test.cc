// Compressed files: what they hold is read, what they hide is refused.
#include "adapters/files/compression.h"

#include <zlib.h>
#include <zstd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/delimited/delimited_adapter.h"
#include "adapters/files/files_testing.h"
#include "adapters/files/scratch_content.h"
#include "adapters/files/source_testing.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gtest/gtest.h"

namespace sluice::adapters::files {
namespace {

std::string Gzipped(const std::string& bytes) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Zstandard(const std::string& bytes, int window_log = 0) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  if (window_log > 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  // As the program zstd does; without one, a corrupt literal is not noticed.
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, window_log > 0 ? 0 : 1);
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  ZSTD_outBuffer out = {packed.data(), packed.size(), 0};
  ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
  // In two steps, so that the size is not known at the start.
  if (window_log > 0) ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  packed.resize(out.pos);
  return packed;
}

class CompressionTest : public testing::Test {
 protected:
  std::unique_ptr<Adapter> OpenPacked(Settings settings) {
    settings.insert({{"folder", folder_.path()}, {"work_folder", work_.path()}});
    auto adapter = OpenDelimited(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  ScannedTexts ScanPacked(const Settings& settings, int key = 0) {
    return ScanAll(*OpenPacked(settings), TextRequest("t", {"id", "name"}, key), context_);
  }

  TestFolder folder_, work_;
  FakeClock clock_;
  CallContext context_{&clock_, 0, nullptr};
};

TEST_F(CompressionTest, RowsAreThoseOfTheFileAndTheVersionIsTheDrops) {
  const std::string text = People(30'000);
  for (const auto& [compression, name, bytes] :
       {std::tuple{"gzip", "t.csv.gz", Gzipped(text)},
        std::tuple{"zstd", "t.csv.zst", Zstandard(text)}}) {
    folder_.Write(name, bytes);
    for (const int key : {0, 1}) {
      const ScannedTexts scanned = ScanPacked({{"compression", compression}}, key);
      EXPECT_EQ(scanned.rows.size(), 30'000u) << scanned.status;
      EXPECT_EQ(scanned.version, HexEncode(AsBytes(Sha256(bytes))));
    }
  }
  folder_.Write("t.csv.gz", Gzipped("id,name\n1,a\n"));
  EXPECT_EQ(ScanPacked({{"compression", "by_name"}, {"suffix", ".csv.gz"}}).rows,
            std::vector<std::string>{"1,a"});
}

TEST_F(CompressionTest, MembersOneBehindTheOtherAreOneFile) {
  const std::string a = "id,name\n1,a\n", b = "2,b\n";
  folder_.Write("t.csv.gz", Gzipped(a) + Gzipped(b) + Gzipped(""));
  EXPECT_EQ(ScanPacked({{"compression", "gzip"}}).rows, (std::vector<std::string>{"1,a", "2,b"}));
  folder_.Write("t.csv.zst", Zstandard(a) + Zstandard(b));
  EXPECT_EQ(ScanPacked({{"compression", "zstd"}}).rows, (std::vector<std::string>{"1,a", "2,b"}));
}

TEST_F(CompressionTest, StreamsThatAreCutOrCorruptAreBadFiles) {
  const std::string text = People(20'000);
  for (const bool gzip : {true, false}) {
    const std::string whole = gzip ? Gzipped(text) : Zstandard(text);
    std::string corrupt = whole;
    corrupt[whole.size() / 2] = static_cast<char>(corrupt[whole.size() / 2] ^ 0x55);
    for (const std::string& bytes :
         {whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1), std::string(),
          corrupt, whole + "rubbish, and more of it", text}) {
      folder_.Write(gzip ? "t.csv.gz" : "t.csv.zst", bytes);
      const absl::Status status = ScanPacked({{"compression", gzip ? "gzip" : "zstd"}}).status;
      EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE) << bytes.size() << status;
    }
  }
}

TEST_F(CompressionTest, BombsAreRefusedWithTheReason) {
  const std::string zeros = "id,name\n" + std::string(40 << 20, '0');
  folder_.Write("t.csv.gz", Gzipped(zeros));
  const absl::Status ratio = ScanPacked({{"compression", "gzip"}}).status;
  EXPECT_TRUE(absl::StrContains(ratio.message(), "250 times its size")) << ratio;
  folder_.Write("t.csv.zst", Zstandard(zeros));
  const absl::Status zstd = ScanPacked({{"compression", "zstd"}}).status;
  EXPECT_TRUE(absl::StrContains(zstd.message(), "250 times its size")) << zstd;
  folder_.Write("t.csv.gz", Gzipped(People(10'000)));
  const absl::Status size =
      ScanPacked({{"compression", "gzip"}, {"most_unpacked_bytes", "50000"}}).status;
  EXPECT_TRUE(absl::StrContains(size.message(), "over 50000 bytes (most_unpacked_bytes)")) << size;
  EXPECT_EQ(ReasonOf(size), v1::REASON_SOURCE_BAD_VALUE);
  folder_.Write("t.csv.zst", Zstandard(People(10), 27));
  const absl::Status window = ScanPacked({{"compression", "zstd"}}).status;
  EXPECT_TRUE(absl::StrContains(window.message(), "window of over 8 MiB")) << window;
}

TEST_F(CompressionTest, DescribeReadsTheBeginningOnly) {
  const std::string packed = Gzipped(People(2'000'000));
  folder_.Write("t.csv.gz", packed.substr(0, packed.size() - 100));
  const auto adapter = OpenPacked({{"compression", "gzip"}});
  const auto described = adapter->Describe("t", context_);
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ((*described)[0].columns.size(), 2u);
  EXPECT_TRUE(work_.Names().empty());
  EXPECT_LT(OpenFilesUnder(work_.path()).size(), 1u);
}

TEST_F(CompressionTest, NothingUnpackedCanBeReadFromOutside) {
  folder_.Write("t.csv.gz", Gzipped(People(20'000)));
  const auto adapter = OpenPacked({{"compression", "gzip"}});
  ASSERT_EQ(ScanAll(*adapter, TextRequest("t", {"id"}), context_).rows.size(), 20'000u);
  const std::string bytes = OpenFilesUnder(work_.path());
  EXPECT_GT(bytes.size(), 200'000u);
  EXPECT_FALSE(absl::StrContains(bytes, "somebody"));
  EXPECT_TRUE(work_.Names().empty());
}

TEST_F(CompressionTest, ByNameEachTableIsUnpackedAsItsFileIsCalled) {
  folder_.Write("a.csv", People(1));
  folder_.Write("b.csv.gz", Gzipped(People(2)));
  folder_.Write("c.csv.zst", Zstandard(People(3)));
  const auto adapter = OpenPacked({{"compression", "by_name"}});
  const auto described = adapter->Describe("", context_);
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ(described->size(), 3u);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(ScanAll(*adapter, TextRequest((*described)[i].table, {"id"}), context_).rows.size(),
              i + 1);
  folder_.Write("b.csv", People(9));
  const absl::Status two = ScanAll(*adapter, TextRequest("b", {"id"}), context_).status;
  EXPECT_TRUE(absl::StrContains(two.message(), "two files, 'b.csv' and 'b.csv.gz'")) << two;
}

TEST_F(CompressionTest, FilesOfATableOfManyMayEachBePackedOrNot) {
  folder_.Write("t-20260101.csv.gz", Gzipped("id,name\n1,one\n"));
  folder_.Write("t-20260102.csv", "id,name\n2,two\n");
  folder_.Write("t-20260103.csv.zst", Zstandard("name,id\nthree,3\n"));
  const auto adapter = OpenPacked({{"compression", "by_name"},
                                   {"pattern", "{table}-{yyyyMMdd}.csv"},
                                   {"pick", "all"},
                                   {"file_name_column", "file"}});
  const auto all = ScanAll(*adapter, TextRequest("t", {"id", "name", "file"}), context_);
  EXPECT_EQ(all.rows, (std::vector<std::string>{"1,one,t-20260101.csv.gz", "2,two,t-20260102.csv",
                                                "3,three,t-20260103.csv.zst"}))
      << all.status;
  EXPECT_EQ(ScanAll(*adapter, TextRequest("t", {"name"}, 1), context_).rows,
            (std::vector<std::string>{"one", "three", "two"}));
  const std::string cut = Gzipped("id,name\n4,four\n").substr(0, 20);
  folder_.Write("t-20260104.csv.gz", cut);
  const absl::Status status = ScanAll(*adapter, TextRequest("t", {"id"}), context_).status;
  EXPECT_TRUE(absl::StrContains(status.message(), "cut short")) << status;
  EXPECT_EQ(ErrorInfoOf(status)->metadata().at("file"), "t-20260104.csv.gz");
}

TEST(ScratchContentTest, ReadsWhatWasWrittenFromAnyPlace) {
  TestFolder folder;
  auto writer = *ScratchBytes::Make(folder.path());
  std::string whole;
  for (int i = 0; i < 60'000; ++i) absl::StrAppend(&whole, i, ";");
  for (size_t at = 0; at < whole.size(); at += 7'777)
    ASSERT_TRUE(writer->Append(std::string_view(whole).substr(at, 7'777)).ok());
  const auto content = *writer->Finish();
  ASSERT_EQ(content->size(), static_cast<int64_t>(whole.size()));
  for (size_t at = 0; at < whole.size() + 10; at += 12'345) {
    std::string bytes(100'000, '\0');
    size_t read = 0;
    ASSERT_TRUE(content->Read(static_cast<int64_t>(at), bytes.size(), bytes.data(), &read).ok());
    bytes.resize(read);
    EXPECT_EQ(bytes, at < whole.size() ? whole.substr(at, 100'000) : "");
  }
}

}  // namespace
}  // namespace sluice::adapters::files
