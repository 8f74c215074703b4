// Streams whose gateway, client or source ends at any moment, and many readers that behave badly.
// What the log says is held against what came at the other end. DESIGN, promises 1 and 6.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include <atomic>
#include <filesystem>
#include <latch>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"
#include "tests/system/register.h"

namespace sluice::system_test {
namespace {

using testing::HasSubstr;

constexpr int64_t kStepRows = 16'384;  // docs/formats/stream.md

// What one reader knows of its stream.
struct Received {
  int64_t opened = -1;  // index of OPENED; none before the first message
  int64_t rows = 0;
};

// Reads until it ends, or until `enough` of the rows so far.
absl::Status ReadUntil(cli::Gateway& gateway, Received& received,
                       const std::function<bool(int64_t rows)>& enough) {
  return CallStream(gateway, cli::kRead, RegisterRequest(), kMinute,
                    [&](v1::ReadResponse& message) -> absl::Status {
                      if (message.has_opening())
                        received.opened = message.opening().receipt().index();
                      received.rows += message.rows();
                      return enough(received.rows) ? absl::CancelledError("enough")
                                                   : absl::OkStatus();
                    });
}

// The last that the log says of each stream, by the index of its OPENED.
std::map<int64_t, v1::AuditEnvelope> Ends(Deployment& gateway) {
  std::map<int64_t, v1::AuditEnvelope> ends;
  for (v1::RecordKind kind : {v1::RECORD_KIND_CLOSED, v1::RECORD_KIND_ABANDONED}) {
    for (const v1::Record& record : gateway.Records(kind)) {
      const v1::AuditEnvelope& envelope = record.envelope();
      EXPECT_TRUE(ends.emplace(envelope.opened(), envelope).second)
          << "#" << envelope.opened() << " ended twice";
    }
  }
  return ends;
}

int OpenFiles(Deployment& gateway) {
  const std::string folder = absl::StrCat("/proc/", gateway.daemon().pid(), "/fd");
  return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(StreamKillTest, WhateverTheMomentTheGatewayDies) {
  Deployment gateway;
  OfferRegister(gateway, 300'000);
  std::mt19937 random(20261103);
  std::vector<Received> streams;
  for (int round = 0; round < 10; ++round) {
    constexpr int kReaders = 3;
    std::vector<Received> received(kReaders);
    std::vector<std::thread> readers;
    std::atomic<int> begun{0};
    for (int i = 0; i < kReaders; ++i) {
      readers.emplace_back([&, connection = gateway.Connect("relief"), i] {
        // Whole or broken off, as it happens.
        (void)ReadUntil(*connection, received[i], [&](int64_t rows) {
          if (rows > 0) ++begun;
          return false;
        });
      });
    }
    EXPECT_TRUE(Eventually([&] { return begun > 0; }));
    Nap(std::uniform_int_distribution<int>(0, 300)(random));
    gateway.Kill();
    for (std::thread& reader : readers) reader.join();
    streams.insert(streams.end(), received.begin(), received.end());
    gateway.Start();
  }

  const std::map<int64_t, v1::AuditEnvelope> ends = Ends(gateway);
  int abandoned = 0;
  for (const Received& stream : streams) {
    if (stream.opened < 0) continue;  // nothing came, which is no promise
    const auto end = ends.find(stream.opened);
    ASSERT_NE(end, ends.end()) << "#" << stream.opened << " has no end";
    EXPECT_GE(end->second.count(), stream.rows) << "#" << stream.opened;
    if (end->second.kind() == v1::RECORD_KIND_ABANDONED) ++abandoned;
  }
  EXPECT_GT(abandoned, 5);
  // What may have left of an abandoned stream is one step: the one before was handed over whole.
  for (const v1::Record& progress : gateway.Records(v1::RECORD_KIND_PROGRESS)) {
    const auto end = ends.find(progress.envelope().opened());
    ASSERT_NE(end, ends.end());
    if (end->second.kind() != v1::RECORD_KIND_ABANDONED) continue;
    EXPECT_LE(progress.envelope().count(), end->second.count());
    if (progress.envelope().steps() + 1 == end->second.steps()) {
      EXPECT_LE(end->second.count() - progress.envelope().count(), kStepRows);
    }
  }
  EXPECT_EQ(gateway.Records(v1::RECORD_KIND_OPENED).size(), ends.size());
  EXPECT_EQ(gateway.Stop().code, 0);
  gateway.Verify();
}

TEST(StreamKillTest, WhateverTheMomentTheClientDies) {
  Deployment gateway;
  OfferRegister(gateway, 300'000);
  std::mt19937 random(20261104);
  int cut = 0;
  for (int round = 0; round < 20; ++round) {
    const std::string file = absl::StrCat("register-", round, ".jsonl");
    Process reader({"sluice", "--profile", gateway.Path("profiles/relief.yaml"), "read",
                    "public-security/register", "--purpose", "relief", "-o", gateway.Path(file)},
                   {});
    Nap(std::uniform_int_distribution<int>(0, 700)(random));
    reader.Signal(SIGKILL);
    reader.Wait();
    ASSERT_TRUE(Eventually([&] {
      return gateway.Records(v1::RECORD_KIND_OPENED).size() ==
             gateway.Records(v1::RECORD_KIND_CLOSED).size();
    })) << round;
    const std::string part = gateway.Path(file + ".part");
    if (!std::filesystem::exists(part)) continue;
    ++cut;
    EXPECT_FALSE(std::filesystem::exists(gateway.Path(file)));
    const std::string text = gateway.Read(file + ".part");
    const v1::AuditEnvelope closed = gateway.Records(v1::RECORD_KIND_CLOSED).back().envelope();
    EXPECT_GE(closed.count(), std::count(text.begin(), text.end(), '\n'));
  }
  EXPECT_GT(cut, 2);
  EXPECT_EQ(gateway.Stop().code, 0);
  gateway.Verify();
}

// The file under an open stream loses its second half, as when a disk goes or an owner's job writes
// over it.
TEST(StreamKillTest, WhateverTheMomentTheSourceDies) {
  std::mt19937 random(20261105);
  for (int round = 0; round < 4; ++round) {
    Deployment gateway;
    OfferRegister(gateway, 300'000);
    const std::string file = gateway.Path("sources/residents.db");
    const int64_t after = std::uniform_int_distribution<int64_t>(0, 100'000)(random);
    bool gone = false;
    Received received;
    const absl::Status status = ReadUntil(*gateway.Connect("relief"), received, [&](int64_t rows) {
      if (rows >= after && !std::exchange(gone, true))
        std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
      return false;
    });
    ASSERT_TRUE(gone);
    const std::map<int64_t, v1::AuditEnvelope> ends = Ends(gateway);
    ASSERT_EQ(ends.size(), 1u);
    const v1::AuditEnvelope& end = ends.begin()->second;
    EXPECT_FALSE(status.ok()) << end.count() << " rows of a broken source were let go as all";
    EXPECT_EQ(end.kind(), v1::RECORD_KIND_CLOSED);
    EXPECT_EQ(end.reason(), ReasonOf(status)) << status;
    EXPECT_NE(end.reason(), v1::REASON_UNSPECIFIED);
    EXPECT_GE(end.count(), received.rows);
    EXPECT_EQ(gateway.Stop().code, 0);
    gateway.Verify();
  }
}

TEST(ReadersTest, AThousandThatVanishLeaveNothingBehind) {
  constexpr int kThreads = 8;
  constexpr int kProcesses = 40;
  constexpr int kReaders = 1000 - kProcesses;
  Deployment gateway;
  OfferRegister(gateway, 200'000);
  {
    Received warm;
    EXPECT_TRUE(ReadUntil(*gateway.Connect("relief"), warm, [](int64_t) { return false; }).ok());
  }
  gateway.As("operator");
  // Connections to the source are kept: four, as it allows.
  const int files = OpenFiles(gateway) + 4;
  const int64_t idle = DaemonMemory(gateway, "VmRSS:");

  int64_t after_half = 0;
  for (int half = 0; half < 2; ++half) {
    std::atomic<int> next{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(half * kThreads + t);
        while (next++ < kReaders / 2) {
          Received received;
          const int64_t rows = std::uniform_int_distribution<int64_t>(0, 30'000)(random);
          const absl::Status status = ReadUntil(*gateway.Connect("relief"), received,
                                                [&](int64_t so_far) { return so_far >= rows; });
          EXPECT_EQ(status.message(), "enough") << status;
        }
      });
    }
    std::mt19937 random(99 + half);
    for (int i = 0; i < kProcesses / 2; ++i) {
      Process reader({"sluice", "--profile", gateway.Path("profiles/relief.yaml"), "read",
                      "public-security/register", "--purpose", "relief", "-o", "-"},
                     {});
      Nap(std::uniform_int_distribution<int>(30, 400)(random));
      reader.Signal(SIGKILL);
      reader.Wait();
    }
    for (std::thread& thread : threads) thread.join();
    if (half == 0) after_half = DaemonMemory(gateway, "VmRSS:");
  }

  EXPECT_TRUE(Eventually([&] {
    const auto running = Call(gateway.As("operator"), cli::kListExchanges, {});
    return running.ok() && running->exchanges_size() == 0;
  }));
  EXPECT_TRUE(Eventually([&] { return OpenFiles(gateway) <= files; }, 30'000))
      << files << " files may be open, and " << OpenFiles(gateway) << " are";
  // What eight streams at once take is kept by the allocator; the second half takes no more.
  const int64_t more = DaemonMemory(gateway, "VmRSS:") - after_half;
  EXPECT_LT(more, 16 << 10) << idle << " kB idle, " << after_half << " kB after half of them";
  EXPECT_TRUE(Call(gateway.As("relief"), cli::kQuery, Deployment::PersonsQuery()).ok());
  const size_t opened = gateway.Records(v1::RECORD_KIND_OPENED).size();
  EXPECT_GE(opened, static_cast<size_t>(kReaders));
  EXPECT_EQ(Ends(gateway).size(), opened);
  EXPECT_EQ(gateway.Stop().code, 0);
  EXPECT_THAT(gateway.Verify(), HasSubstr(absl::StrCat(opened, " opened, ", opened, " closed")));
}

TEST(ReadersTest, EightThatStopReadingLeaveLookupsUnharmed) {
  constexpr int kReaders = 8;
  Deployment gateway;
  gateway.Replace("sluiced.yaml", "stall: 30s", "stall: 60s");
  gateway.Replace("sources/residents.yaml", "connections: 4", "connections: 1");
  OfferRegister(gateway, 620'000);
  const int64_t idle = DaemonMemory(gateway, "VmRSS:");
  std::latch stopped(kReaders), go_on(1);
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, connection = gateway.Connect("relief")] {
      Received received;
      const absl::Status status = ReadUntil(*connection, received, [&](int64_t rows) {
        if (rows == 0) return false;
        stopped.count_down();
        go_on.wait();
        return true;
      });
      EXPECT_EQ(status.message(), "enough") << status;
    });
  }
  stopped.wait();
  Nap(1000);  // as much as the gateway would let go is on its way now
  EXPECT_LT(DaemonMemory(gateway, "VmRSS:") - idle, kReaders * (10 << 10)) << idle << " kB idle";
  const auto lookups = gateway.Connect("relief", 2 * kSecond);
  for (int i = 0; i < 30; ++i) {
    const auto found = Call(*lookups, cli::kQuery, Deployment::PersonsQuery(SampleIds()[i % 12]));
    EXPECT_TRUE(found.ok()) << found.status();
  }
  const auto running = Call(gateway.As("operator"), cli::kListExchanges, {});
  ASSERT_TRUE(running.ok()) << running.status();
  EXPECT_EQ(running->exchanges_size(), kReaders);
  go_on.count_down();
  for (std::thread& reader : readers) reader.join();
  EXPECT_TRUE(Eventually([&] { return Ends(gateway).size() == kReaders; }));
}

}  // namespace
}  // namespace sluice::system_test
