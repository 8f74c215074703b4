// What the micro-benchmarks work on: the dataset and the grant of bench/permits/ with 5,000 of its
// synthetic rows, and a caller that the grant is for.
#pragma once

#include <string>
#include <vector>

#include "gateway/audit/subjects.h"
#include "gateway/policy/decide.h"
#include "gateway/records/types.h"

namespace sluice::bench {

struct PartsWorld {
  PartsWorld();

  v1::QueryRequest Request(const std::string& filter) const;
  // Permitted, or the process ends.
  policy::Plan Decided(const v1::QueryRequest& request, v1::Mode mode) const;
  // A batch as a source gives it for that plan.
  records::RecordBatch Scanned(const policy::Plan& plan) const;

  identity::Principal caller;
  policy::SnapshotPtr snapshot;
  const Micros now = 1'790'000'000 * kSecond;
  const policy::DecideLimits limits;
  const audit::Pseudonyms pseudonyms{std::string(32, 'k')};
};

// Made on first use.
const PartsWorld& World();

// A folder for the run, which is removed at its end. On a real disk: below the build's folder.
class PartsFolder {
 public:
  explicit PartsFolder(const std::string& name);
  ~PartsFolder();
  PartsFolder(const PartsFolder&) = delete;
  PartsFolder& operator=(const PartsFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// Ends the process with the status where it is an error.
void MustBeOk(const absl::Status& status);

}  // namespace sluice::bench
