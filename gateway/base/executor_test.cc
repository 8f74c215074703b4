#include "gateway/base/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <latch>
#include <string>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using ::testing::ElementsAre;

// One thread, held until everything is queued; what ran, in order.
class ExecutorTest : public ::testing::Test {
 protected:
  ExecutorTest() {
    EXPECT_TRUE(pool_.TrySubmit([this] {
      started_.count_down();
      go_on_.wait();
    }));
    started_.wait();
  }
  std::function<void()> Noting(std::string name) {
    return [this, name = std::move(name)] { ran_.push_back(name); };
  }
  std::vector<std::string> RunAll() {
    go_on_.count_down();
    pool_.Close();
    return ran_;
  }

  static constexpr size_t kQueue = 40;
  std::latch started_{1}, go_on_{1};
  std::vector<std::string> ran_;
  ThreadPool pool_{1, kQueue};
};

TEST_F(ExecutorTest, ShortTasksGoBeforeLongOnes) {
  EXPECT_TRUE(pool_.TrySubmitLong(Noting("long 1")));
  EXPECT_TRUE(pool_.TrySubmitLong(Noting("long 2")));
  EXPECT_TRUE(pool_.TrySubmit(Noting("short 1")));
  EXPECT_TRUE(pool_.TrySubmit(Noting("short 2")));
  EXPECT_THAT(RunAll(), ElementsAre("short 1", "short 2", "long 1", "long 2"));
}

TEST_F(ExecutorTest, ALongTaskIsNotPutOffForEver) {
  EXPECT_TRUE(pool_.TrySubmitLong(Noting("long")));
  for (size_t i = 0; i < kQueue; ++i) EXPECT_TRUE(pool_.TrySubmit(Noting("short")));
  const std::vector<std::string> ran = RunAll();
  ASSERT_EQ(ran.size(), kQueue + 1);
  EXPECT_EQ(std::find(ran.begin(), ran.end(), "long") - ran.begin(), ThreadPool::kMostInARow);
}

TEST_F(ExecutorTest, EachKindHasItsOwnBound) {
  for (size_t i = 0; i < kQueue; ++i) EXPECT_TRUE(pool_.TrySubmitLong(Noting("long")));
  EXPECT_FALSE(pool_.TrySubmitLong(Noting("long")));
  for (size_t i = 0; i < kQueue; ++i) EXPECT_TRUE(pool_.TrySubmit(Noting("short")));
  EXPECT_FALSE(pool_.TrySubmit(Noting("short")));
  EXPECT_EQ(RunAll().size(), 2 * kQueue);
}

TEST(ThreadPool, TakesNothingOnceItIsClosed) {
  ThreadPool pool(1, 1);
  pool.Close();
  EXPECT_FALSE(pool.TrySubmit([] {}));
  EXPECT_FALSE(pool.TrySubmitLong([] {}));
}

}  // namespace
}  // namespace sluice
