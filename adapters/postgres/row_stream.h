// The rows of a running statement, one by one as the server sends them: nothing is gathered, and a
// server that sends faster than it is read waits.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/postgres/connection.h"
#include "adapters/postgres/plan.h"

namespace sluice::adapters::postgres {

struct Value {
  const char* data = nullptr;  // null for a null
  int32_t size = 0;
  std::string_view bytes() const { return {data, static_cast<size_t>(size)}; }
};
using RowValues = std::vector<Value>;

class RowStream {
 public:
  virtual ~RowStream() = default;
  // Valid until the next call; null at the end, when the connection is free again.
  virtual absl::StatusOr<const RowValues*> Next(const Watch& watch) = 0;
  // The SQLSTATE that ended it, where one did.
  const std::string& state() const { return state_; }

 protected:
  void SetState(std::string_view state) { state_ = state; }
  // Notes the SQLSTATE of a result that is an error.
  absl::Status Failed(const ResultPtr& result) {
    state_ = Connection::StateOf(result);
    return Connection::StatusOf(result);
  }

 private:
  std::string state_;
};

// A prepared statement with bound parameters, row by row: for lookups and pages. The plan outlives
// the stream.
absl::StatusOr<std::unique_ptr<RowStream>> RunPrepared(Connection& connection,
                                                       const std::string& name, const Plan& plan,
                                                       const std::vector<std::string>& parameters,
                                                       const Watch& watch);

// COPY TO STDOUT in binary, in a transaction of its own that also passes its parameters and keeps
// the types of what is read as they were when it began: for many rows. The plan is one for
// Passing::kSettings. `state` gets the SQLSTATE where there was one; kSchemaChanged where the types
// are not those of the plan any more.
absl::StatusOr<std::unique_ptr<RowStream>> RunCopy(Connection& connection, const Plan& plan,
                                                   const std::vector<std::string>& parameters,
                                                   const Watch& watch, std::string& state);

}  // namespace sluice::adapters::postgres
