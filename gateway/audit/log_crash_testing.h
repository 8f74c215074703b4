// The story that crash tests play, and what must hold after it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/audit/log_testing.h"

namespace sluice::audit {

// Which subsets of unsynced units are tried: all of them where there are at most `exhaustive`,
// otherwise none, all and `seeded` random ones.
struct Subsets {
  size_t exhaustive = 8;
  size_t seeded = 12;
  uint64_t seed = 1;
};

class Story {
 public:
  Story();
  // Goes on with these files, after these records were acked.
  Story(const std::map<std::string, std::string>& files, std::vector<std::string> acked);

  // Two runs: batches of one and of several records, heads, a segment roll, a clean stop, and a
  // second run. Goes as far as it can; returns the number of operations done.
  size_t Play();
  // Opens, appends a record, asks for a head, closes; as far as it can.
  size_t Reopen();
  // Numbers of the operations of Play after which the storage may be another.
  static std::vector<size_t> Changes();
  // Number of the last sync that Play does before a batch is acked.
  size_t LastSync() const;

  // After a loss of power with each subset. Returns how many.
  size_t CheckEverySubset(const Subsets& subsets, const std::string& what) const;
  // After a restart of the process, and then a loss of power that keeps nothing or everything.
  void CheckRestart(const std::string& what);

  std::unique_ptr<FakeFileSystem> files;
  std::vector<std::string> acked;  // envelopes, by index
  LogOptions options;

 private:
  void Run(const std::vector<std::vector<SealedRecord>>& batches, bool head_between);
  void CheckSound(FakeFileSystem& after, const std::string& what) const;

  FakeClock clock_;
};

}  // namespace sluice::audit
