#include "gateway/base/fair_mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sluice {
namespace {

TEST(FairMutexTest, GoesToWhoWaits) {
  FairMutex mutex;
  std::vector<int> order;
  mutex.Lock();
  std::thread other([&] {
    FairLock lock(mutex);
    order.push_back(1);
  });
  while (!mutex.Awaited()) std::this_thread::yield();
  mutex.Unlock();
  // The other is first, whoever runs.
  mutex.Lock();
  order.push_back(2);
  EXPECT_FALSE(mutex.Awaited());
  mutex.Unlock();
  other.join();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(FairMutexTest, HoldsOneAtATime) {
  FairMutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        FairLock lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 4000);
}

}  // namespace
}  // namespace sluice
