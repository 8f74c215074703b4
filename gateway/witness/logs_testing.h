// Logs for tests of a witness: as many entries as asked for, and forks of them.
#pragma once

#include <string>
#include <vector>

#include "gateway/audit/merkle.h"
#include "gateway/audit/signing_key.h"
#include "gateway/base/mutex.h"
#include "gateway/base/operational_log.h"
#include "gateway/witness/add_checkpoint.h"

namespace sluice::witness {

// Entries "0", "1", …; from `fork` on "fork 7", ….
class LogForWitness {
 public:
  explicit LogForWitness(std::string origin = "gw1.gov.example/log", uint64_t fork = UINT64_MAX);

  const audit::NamedSigningKey& key() const { return key_; }
  audit::Checkpoint Head(uint64_t size) const;
  std::string Note(uint64_t size) const;
  std::vector<Hash> Proof(uint64_t old_size, uint64_t size) const;
  // Over [begin, begin + 2^level).
  Hash Subtree(uint64_t begin, int level) const;
  // The body of add-checkpoint.
  std::string Request(uint64_t old_size, uint64_t size) const;

 private:
  std::vector<Hash> Leaves(uint64_t size) const;
  const audit::NamedSigningKey key_;
  const uint64_t fork_;
};

// Keeps the lines, for whoever knows that nobody writes any more.
class KeptOperations : public OperationalLog {
 public:
  explicit KeptOperations(const Clock& clock) : OperationalLog(-1, clock) {}
  std::vector<std::string> lines;

 protected:
  void WriteLine(const std::string& line) override {
    MutexLock lock(mutex_);
    lines.push_back(line);
  }

 private:
  Mutex mutex_;
};

}  // namespace sluice::witness
