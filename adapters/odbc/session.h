// One session with the source, through a driver: hardened as far as the dialect says how. Used by
// one thread at a time. No call waits longer than its Watch, nor much longer than the statement
// timeout: a driver that does not come back is left behind.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/odbc/settings.h"
#include "adapters/odbc/statement.h"
#include "adapters/odbc/watch.h"
#include "adapters/odbc/worker.h"

namespace sluice::adapters::odbc {

// What the source says of itself when a session begins.
struct SourceFacts {
  const Dialect* dialect = nullptr;
  std::string version;  // "MariaDB 10.11.19"
  bool utf8 = true;
  std::string number;        // of the session, for Dialect::kill
  std::string quote = "\"";  // where the dialect does not say
};

using TextRow = std::vector<std::optional<std::string>>;

class Session {
 public:
  // SOURCE_UNAVAILABLE where there is no session to be had, or where the account can write and the
  // settings do not allow that. `begun` is called with the end of its worker, which may come later
  // than that of a failed Open. The settings outlive it.
  static absl::StatusOr<std::unique_ptr<Session>> Open(
      const OdbcSettings& settings, const Watch& watch,
      const std::function<void(Worker::Ended)>& begun);
  // The driver closes it, in its own time.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const SourceFacts& facts() const { return facts_; }
  const Dialect& dialect() const { return *facts_.dialect; }
  const Driver& driver() const { return driver_; }

  // Runs a statement to its end; its rows as texts. For the catalogue: whatever it answers is held
  // whole. Text parameters.
  absl::StatusOr<std::vector<TextRow>> Query(const std::string& sql,
                                             const std::vector<std::string>& parameters,
                                             const Watch& watch);
  // The columns of what a statement gives; it is run.
  absl::StatusOr<std::vector<ColumnFacts>> Describe(const std::string& sql, const Watch& watch);

  struct Scan {
    std::string sql;
    std::vector<Parameter> parameters;
    std::vector<Reading> readings;
    bool streaming = false;  // its rows as they come: Driver::streaming
  };
  // Runs it, and fetches its first rows.
  absl::StatusOr<std::shared_ptr<Statement>> Start(Scan scan, const Watch& watch);
  absl::Status Fetch(const std::shared_ptr<Statement>& statement, const Watch& watch);
  // Frees it, at its end or where little is left.
  void Drop(std::shared_ptr<Statement> statement, const Watch& watch);
  // Frees it when the session is closed, which is of no other use any more.
  void Bury(std::shared_ptr<Statement> statement);

  // What has the source end what runs: for another thread, which it blocks. It may outlive the
  // session, which is of no use afterwards.
  std::function<void()> Abandon();
  // Nothing runs, nothing failed in a way that leaves it open: it may serve another.
  bool CanServe() const { return !abandoned_ && !broken_ && !worker_->left_behind(); }
  // It has served before: what it is connected with may be gone since.
  bool served() const { return served_; }
  void SetServed() { served_ = true; }
  // Its driver was not back when it was waited for.
  bool left_behind() const { return worker_->left_behind(); }

 private:
  explicit Session(const OdbcSettings& settings);
  absl::Status Connect(const Watch& watch);
  absl::Status Prepare(const Watch& watch);
  absl::Status CheckAccount(const Watch& watch);
  absl::Status Do(std::function<absl::Status()> job, const Watch& watch);
  Micros Patience() const;

  const OdbcSettings& settings_;
  const Driver& driver_;
  const std::shared_ptr<Handles> handles_ = std::make_shared<Handles>();
  const std::unique_ptr<Worker> worker_ = std::make_unique<Worker>();
  SourceFacts facts_;
  std::vector<std::shared_ptr<Statement>> buried_;
  bool abandoned_ = false;
  bool broken_ = false;
  bool served_ = false;
};

}  // namespace sluice::adapters::odbc
