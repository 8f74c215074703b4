// kill -9 of the real daemon at any moment, under load. What the test holds of it - receipts,
// answers to changes - is what a second process knows: all of it must be found again.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/audit/log.h"
#include "gateway/audit/receipts.h"
#include "gateway/audit/signing_key.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

// Receipts of all that was answered, from any thread.
class Receipts {
 public:
  void Add(const v1::Receipt& receipt) {
    MutexLock lock(mutex_);
    receipts_.push_back(receipt);
  }
  std::vector<v1::Receipt> All() {
    MutexLock lock(mutex_);
    return receipts_;
  }

 private:
  Mutex mutex_;
  std::vector<v1::Receipt> receipts_ SLUICE_GUARDED_BY(mutex_);
};

// The envelopes of a log that no daemon has open, by index; read from a copy.
std::vector<std::string> EnvelopesOf(const Deployment& gateway) {
  const std::string copy = gateway.Path("copy");
  std::filesystem::remove_all(copy);
  std::filesystem::create_directories(copy);
  std::filesystem::copy(gateway.Path("audit"), copy + "/audit",
                        std::filesystem::copy_options::recursive);
  std::filesystem::copy(gateway.Path("state/kept-head"), copy + "/kept-head");
  const auto files = MakePosixFileSystem();
  const auto clock = MakeSystemClock();
  const auto key = audit::ParseSigningKey(gateway.Read("log.key"));
  EXPECT_TRUE(key.ok()) << key.status();
  audit::LogOptions options;
  options.directory = copy + "/audit";
  options.kept_head = copy + "/kept-head";
  options.origin = key->name;
  audit::RecoveryReport report;
  auto log = audit::OpenLog(options, *files, *clock, key->key, &report);
  EXPECT_TRUE(log.ok()) << log.status();
  std::vector<std::string> envelopes;
  if (!log.ok()) return envelopes;
  EXPECT_TRUE((*log)
                  ->Read(0,
                         [&](const audit::Log::Entry& entry) {
                           envelopes.push_back(entry.record.envelope);
                           return true;
                         })
                  .ok());
  return envelopes;
}

void ExpectAllKept(const std::vector<v1::Receipt>& receipts, const Deployment& gateway) {
  const auto key = audit::ParseSigningKey(gateway.Read("log.key"));
  const std::vector<std::string> envelopes = EnvelopesOf(gateway);
  std::set<int64_t> seen;
  for (const v1::Receipt& receipt : receipts) {
    ASSERT_LT(static_cast<size_t>(receipt.index()), envelopes.size()) << "an acked record is lost";
    EXPECT_EQ(envelopes[receipt.index()], receipt.envelope()) << "#" << receipt.index();
    EXPECT_TRUE(audit::VerifyReceipt(receipt, key->verifier).ok());
    EXPECT_TRUE(seen.insert(receipt.index()).second) << "two receipts for #" << receipt.index();
  }
}

TEST(KillTest, NoAnswerIsForgottenWhateverTheMomentOfTheKill) {
  Deployment gateway;
  gateway.Start();
  gateway.OfferSample();
  // The sample's sixty a minute would end the load.
  gateway.Replace("grants/persons-relief.yaml",
                  "quota: {calls_per_minute: 60, rows_per_day: 10000, day: \"+08:00\"}", "");
  gateway.Done("residents-owner", {"grant", "apply", "grants/persons-relief.yaml"});
  std::string grant;
  for (const v1::Grant& one : gateway.GrantsInForce())
    if (one.quota().calls_per_minute() == 0) grant = one.id();
  ASSERT_NE(grant, "");

  Receipts receipts;
  std::mt19937 random(20261101);
  constexpr int kRounds = 12;
  constexpr int kCallers = 4;
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<bool> over{false};
    std::atomic<int> answered{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&, connection = gateway.Connect("relief", 5 * kSecond), i] {
        v1::QueryRequest request = Deployment::PersonsQuery(SampleIds()[i]);
        request.set_grant(grant);
        while (!over) {
          const auto reply = Call(*connection, cli::kQuery, request);
          if (!reply.ok()) continue;
          receipts.Add(reply->receipt());
          ++answered;
        }
      });
    }
    EXPECT_TRUE(Eventually([&] { return answered > kCallers; }));
    Nap(std::uniform_int_distribution<int>(0, 400)(random));
    gateway.Kill();
    over = true;
    for (std::thread& caller : callers) caller.join();
    gateway.Verify();
    gateway.Start();
    const auto starts = gateway.Records(v1::RECORD_KIND_STARTED);
    EXPECT_EQ(starts.size(), static_cast<size_t>(round) + 2);
    EXPECT_FALSE(starts.back().envelope().run().clean());
  }
  EXPECT_EQ(gateway.Stop().code, 0);
  gateway.Verify();
  ExpectAllKept(receipts.All(), gateway);
  EXPECT_GT(receipts.All().size(), 100u);
}

// Control state and log agree after any kill: every revision of the store has its record, every
// record its revision, and what was answered stays.
TEST(KillTest, StateAndLogAgreeWhateverTheMomentOfTheKill) {
  Deployment gateway;
  gateway.Start();
  gateway.OfferSample();
  std::mt19937 random(7);
  std::map<std::string, std::string> answered;  // system -> title
  int number = 0;
  for (int round = 0; round < 12; ++round) {
    std::atomic<bool> over{false};
    std::thread changer([&, connection = gateway.Connect("operator", 5 * kSecond)] {
      while (!over) {
        v1::AddSystemRequest request;
        const std::string name = absl::StrCat("civil-affairs/s", number++);
        request.mutable_system()->set_name(name);
        request.mutable_system()->mutable_title()->set_en("Title of " + name);
        if (Call(*connection, cli::kAddSystem, request).ok()) answered[name] = "Title of " + name;
      }
    });
    Nap(std::uniform_int_distribution<int>(5, 150)(random));
    gateway.Kill();
    over = true;
    changer.join();
    gateway.Start();

    std::set<std::string> stored, recorded;
    const auto systems = Call(gateway.As("operator"), cli::kListSystems, {});
    ASSERT_TRUE(systems.ok()) << systems.status();
    for (const auto& system : systems->systems()) stored.insert(system.name());
    std::map<std::string, int> records;
    for (const v1::Record& record : gateway.Records(v1::RECORD_KIND_CHANGED)) {
      if (record.envelope().resource_kind() != "system") continue;
      recorded.insert(record.envelope().resource_name());
      EXPECT_EQ(++records[record.envelope().resource_name()], 1)
          << record.envelope().resource_name() << " is recorded twice";
    }
    EXPECT_EQ(stored, recorded);
    for (const auto& [name, title] : answered) EXPECT_TRUE(stored.contains(name)) << name;
  }
  EXPECT_GT(answered.size(), 10u);
  EXPECT_EQ(gateway.Stop().code, 0);
  gateway.Verify();
}

// Whatever call of the disk it dies in: each write and sync of the log in turn, by strace.
TEST(KillTest, ItMayDieInAnyWriteOrSync) {
  Deployment gateway;
  gateway.Start();
  gateway.OfferSample();
  ASSERT_EQ(gateway.Stop().code, 0);
  Receipts receipts;
  for (const char* call : {"pwrite64", "fdatasync"}) {
    for (int when = 1; when <= 4; ++when) {
      gateway.Start();
      Process strace({"strace", "-f", "-qq", "-p", absl::StrCat(gateway.daemon().pid()), "-o",
                      "/dev/null", "-e", absl::StrCat("trace=", call), "-e",
                      absl::StrCat("inject=", call, ":signal=KILL:when=", when)},
                     {});
      Nap(500);  // strace says nothing when it has taken hold of all threads
      const auto connection = gateway.Connect("relief", 2 * kSecond);
      for (int i = 0; i < 30 && gateway.daemon().Running(); ++i) {
        const auto reply = Call(*connection, cli::kQuery, Deployment::PersonsQuery());
        if (reply.ok()) receipts.Add(reply->receipt());
      }
      EXPECT_TRUE(Eventually([&] { return !gateway.daemon().Running(); })) << call << " " << when;
      gateway.Verify();
    }
  }
  gateway.Start();
  EXPECT_EQ(gateway.Stop().code, 0);
  gateway.Verify();
  ExpectAllKept(receipts.All(), gateway);
}

}  // namespace
}  // namespace sluice::system_test
