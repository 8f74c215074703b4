// All that decisions read, at one state: immutable, swapped whole.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/catalogue/dataset.h"
#include "gateway/identity/principal.h"
#include "gateway/policy/grant.h"

namespace sluice::policy {

struct Snapshot {
  // Of this state alone, in this process, and of copies of it.
  uint64_t id = NextId();
  std::shared_ptr<const identity::Directory> directory;
  std::shared_ptr<const certs::ChainVerifier> verifier;
  std::map<std::string, catalogue::DatasetPtr, std::less<>> datasets;
  // The newest revision of each, by id; revoked ones too.
  std::map<std::string, GrantPtr, std::less<>> grants;
  // Grants of one agency on one dataset, by "consumer_agency\ndataset".
  std::map<std::string, std::vector<GrantPtr>, std::less<>> by_consumer;

 private:
  static uint64_t NextId() {
    static std::atomic<uint64_t> next{1};
    return next.fetch_add(1);
  }
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace sluice::policy
