// One session with the owner's server, hardened: it reads only, verifies whom it talks to, and has
// the server end what takes too long. Used by one thread at a time. No call waits longer than its
// Watch, nor much longer than the server's own timeouts allow: one that says nothing is given up.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/postgres/settings.h"
#include "adapters/postgres/statement_cache.h"
#include "adapters/postgres/watch.h"
#include "libpq-fe.h"

namespace sluice::adapters::postgres {

inline constexpr size_t kStatementsKept = 64;

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ClearResult>;

std::string_view ValueAt(const ResultPtr& result, int row, int column);

// What the server says of itself when a session begins.
struct ServerFacts {
  std::string version;         // "15.4"
  bool utf8 = false;           // the database's encoding: its order of bytes is that of code points
  bool c_collation = false;    // the database's own collation is that of bytes
  bool tells_commits = false;  // track_commit_timestamp
  bool standby = false;
};

class Connection {
 public:
  // SOURCE_UNAVAILABLE where there is no session to be had, or where the role can write and the
  // settings do not allow that.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const PostgresSettings& settings,
                                                          const Watch& watch);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  PGconn* raw() const { return connection_; }
  const ServerFacts& facts() const { return facts_; }
  StatementCache& statements() { return statements_; }

  // One statement with its parameters as texts, run to its end; its rows as texts. For the
  // catalogue: whatever it answers is held whole.
  absl::StatusOr<ResultPtr> Query(const std::string& sql,
                                  const std::vector<std::string>& parameters, const Watch& watch);

  // Has the server parse a statement under that name, "" for the one without.
  absl::Status Parse(const std::string& name, const std::string& sql, const Watch& watch);
  // Names and types of the rows that a parsed statement will give.
  absl::StatusOr<ResultPtr> DescribeStatement(const std::string& name, const Watch& watch);

  // Parts, for those who send statements themselves.
  //
  // What was put out by PQsend… reaches the server.
  absl::Status Flush(const Watch& watch);
  // PQgetResult, once it does not block. Null: nothing more comes of this statement.
  absl::StatusOr<ResultPtr> NextResult(const Watch& watch);
  // PQgetCopyData, once it does not block: -1 at the end, the row's size otherwise. `row` is to be
  // given to PQfreemem.
  absl::StatusOr<int> NextCopyData(char** row, const Watch& watch);
  // Of a result that is an error: its status.
  static absl::Status StatusOf(const ResultPtr& result);
  static std::string_view StateOf(const ResultPtr& result);

  // Nothing runs, no transaction is open, and the server has not hung up: it may serve another.
  bool CanServe() const;
  // The server closed it, or said something that nobody asked for, while it was idle.
  bool WentStale() const;

 private:
  explicit Connection(const PostgresSettings& settings) : settings_(settings) {}
  absl::Status Connect(const Watch& watch);
  absl::Status Prepare(const Watch& watch);
  absl::Status CheckRole(const Watch& watch);
  // The one result of what was sent.
  absl::StatusOr<ResultPtr> OnlyResult(const Watch& watch);
  // Waits until the socket has something to read (or can be written, where that is asked for).
  absl::Status Wait(bool for_write, int most_ms, const Watch& watch);

  const PostgresSettings& settings_;
  PGconn* connection_ = nullptr;
  ServerFacts facts_;
  StatementCache statements_{kStatementsKept};
};

}  // namespace sluice::adapters::postgres
