// What tests share that let a real disk fail under the log.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "gateway/base/clock.h"
#include "tests/chaos/log_in_folder.h"

namespace sluice::chaos {

using Acked = std::map<uint64_t, std::string>;  // names of records by index

// A folder of its own, and the log in it.
class LogFaultsTest : public testing::Test {
 protected:
  LogFaultsTest();
  ~LogFaultsTest() override;

  std::string Path(const std::string& name) const { return JoinPath(root_, name); }
  absl::StatusOr<std::unique_ptr<audit::Log>> Open(const audit::LogOptions& options);
  // Appends such a record; what was acked is noted.
  absl::Status Append(audit::Log& log, const std::string& name, Acked& acked);
  // Opens, finds all that was acked, takes one more, verifies.
  void CheckSound(const audit::LogOptions& options, const Acked& acked, const std::string& what);

  const std::unique_ptr<FileSystem> files_;
  const std::unique_ptr<Clock> clock_;
  std::string root_;
};

// What is mounted from now on, this process alone and its children see. What is in the way, in
// words; empty where nothing is.
std::string SeeMountsAlone();

}  // namespace sluice::chaos
