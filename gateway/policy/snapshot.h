// All that decisions read, at one state: immutable, swapped whole.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/catalogue/dataset.h"
#include "gateway/identity/principal.h"
#include "gateway/policy/grant.h"

namespace sluice::policy {

struct Snapshot {
  std::shared_ptr<const identity::Directory> directory;
  std::shared_ptr<const certs::ChainVerifier> verifier;
  std::map<std::string, catalogue::DatasetPtr, std::less<>> datasets;
  // The newest revision of each, by id; revoked ones too.
  std::map<std::string, GrantPtr, std::less<>> grants;
  // Grants of one agency on one dataset, by "consumer_agency\ndataset".
  std::map<std::string, std::vector<GrantPtr>, std::less<>> by_consumer;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace sluice::policy
