// A file of 1 GB is read with the memory that one of 1 MB takes (docs/performance.md: 1.1 times at
// most), in the key's order and in none. Prints what a read costs against a digest of the same
// bytes.
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "adapters/delimited/delimited_adapter.h"
#include "adapters/files/files_testing.h"
#include "adapters/files/scratch.h"
#include "gateway/base/crypto.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::delimited {
namespace {

using files::TestFolder;
using records::TypeId;

constexpr int64_t kSmall = 10'000'000;
// Where each row is looked up by its place, reading a gigabyte takes minutes, and no more memory
// than a tenth of it.
constexpr int64_t kLargeInOrder = 1'000'000'000;
constexpr int64_t kLargeInNone = 100'000'000;

// Rows like a register's, ids 18 digits wide; in no order where `step` is not 1.
int64_t WriteRegister(const std::string& path, int64_t bytes, int64_t step) {
  std::ofstream file(path, std::ios::binary);
  file << "id,name,born,income\n";
  const int64_t rows = bytes / 64;
  std::string text;
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t id = 440'304'199'001'000'000 + i * step % rows;
    absl::StrAppend(&text, id, ",\"somebody of this town, ", i % 97 + 10, "\",1990-01-",
                    i % 28 / 10, i % 28 % 10 == 0 ? 1 : i % 28 % 10, ",", i % 9'000 + 1'000,
                    ".50\n");
    if (text.size() > 1 << 20) file << std::exchange(text, {});
  }
  file << text;
  return rows;
}

ScanRequest Request() {
  ScanRequest request;
  request.table = "register";
  request.fields = {{"id", {"id", {TypeId::kInt64}}},
                    {"name", {"name", {TypeId::kUtf8}}},
                    {"born", {"born", {TypeId::kDate32}}},
                    {"income", {"income", {TypeId::kDecimal128, 12, 2}}}};
  request.key = {0};
  return request;
}

int64_t CountRows(Adapter& adapter) {
  const FakeClock clock;
  auto reader = adapter.Scan(Request(), {&clock, 0, nullptr});
  int64_t rows = 0;
  for (;;) {
    const auto batch = (*reader)->Next();
    if (!batch.ok()) std::fprintf(stderr, "%s\n", batch.status().ToString().c_str());
    if (!batch.ok()) return -1;
    if (!batch->has_value()) return rows;
    rows += (*batch)->rows();
  }
}

// Of the processor, by this process: what others do on the machine counts for nothing.
double Seconds() {
  struct timespec spent;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

double DigestSeconds(const std::string& path) {
  const double began = Seconds();
  std::ifstream file(path, std::ios::binary);
  Sha256Stream hash;
  std::string bytes(64 << 10, '\0');
  while (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())), file.gcount() > 0)
    hash.Update(std::string_view(bytes).substr(0, static_cast<size_t>(file.gcount())));
  hash.Finish();
  return Seconds() - began;
}

// Reads it twice, in a process of its own; its peak of resident memory, in KiB.
int64_t PeakOfReading(const TestFolder& folder, const TestFolder& work, int64_t rows) {
  const pid_t child = fork();
  if (child == 0) {
    // What the first use of encryption loads is no growth.
    const auto scratch = files::Scratch::Make(work.path(), 4 << 10);
    if (!scratch.ok() || !(*scratch)->Append(std::string(4 << 10, 'x')).ok()) _exit(3);
    const auto adapter = OpenDelimited({{"folder", folder.path()}, {"work_folder", work.path()}});
    if (!adapter.ok()) _exit(2);
    const double began = Seconds();
    if (CountRows(**adapter) != rows) _exit(1);
    const double first = Seconds() - began;
    const double again = Seconds();
    if (CountRows(**adapter) != rows) _exit(1);
    const double second = Seconds() - again;
    const double digest = DigestSeconds(folder.PathOf("register.csv"));
    std::printf("%12" PRId64
                " rows: first read %.2f, each other %.2f times a digest (%.0f rows/s)\n",
                rows, first / digest, second / digest, static_cast<double>(rows) / second);
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  struct rusage usage;
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return usage.ru_maxrss;
}

class DelimitedGrowthTest : public testing::TestWithParam<int64_t> {};

TEST_P(DelimitedGrowthTest, AGigabyteTakesTheMemoryOfTenMegabytes) {
  int64_t peaks[2] = {};
  const int64_t large = GetParam() == 1 ? kLargeInOrder : kLargeInNone;
  for (const int64_t bytes : {kSmall, large}) {
    const TestFolder folder, work;
    const int64_t rows = WriteRegister(folder.PathOf("register.csv"), bytes, GetParam());
    peaks[bytes == large] = PeakOfReading(folder, work, rows);
  }
  std::printf("peak %" PRId64 " KiB against %" PRId64 " KiB: %.3f times\n", peaks[1], peaks[0],
              static_cast<double>(peaks[1]) / static_cast<double>(peaks[0]));
  EXPECT_LE(static_cast<double>(peaks[1]), 1.1 * static_cast<double>(peaks[0]));
}

// 7,919 is prime, and no divisor of the number of rows.
INSTANTIATE_TEST_SUITE_P(Orders, DelimitedGrowthTest, testing::Values(1, 7'919),
                         [](const auto& order) { return order.param == 1 ? "InOrder" : "InNone"; });

}  // namespace
}  // namespace sluice::adapters::delimited
