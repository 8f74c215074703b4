// A source in memory whose every move a test controls: its rows, its failures, its version, and
// whether it hangs. All columns are utf8. Any thread.
//
//   FakeSource source;
//   source.SetRows({{{"id", "1"}, {"name", "Li Na"}}});
//   source.Hang();                   // from now on each Next waits,
//   ... source.AwaitHanging(1) ...   // until it is let go or cancelled
//   source.LetGo();
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "gateway/base/mutex.h"

namespace sluice::exchange {

class FakeSource {
 public:
  using Row = std::map<std::string, std::string>;  // by column; absent is null

  void SetRows(std::vector<Row> rows);
  void SetBatchRows(int64_t rows);
  // What it describes for any table; none at first.
  void SetTables(std::vector<adapters::TableDescription> tables);
  // What people should know of it.
  void SetNotes(std::vector<std::string> notes);
  void SetVersion(const std::string& version, bool snapshot);
  void SetRejected(int64_t records);
  // A value that became null because it did not fit: the row's number in a scan, and the column.
  struct BadValue {
    int64_t row;
    std::string column;
  };
  void SetBadValues(std::vector<BadValue> values);

  // What Open, Scan, or the Next of this number (from 0) answers in place of its work, in each scan
  // from now on; OK heals it.
  void FailOpen(absl::Status why);
  void FailScan(absl::Status why);
  void FailNext(int number, absl::Status why);
  void FailProbe(absl::Status why);
  // Called before each Next does its work, on the source's thread.
  void OnNext(std::function<void()> act);

  // Each Next waits. A deaf source does not hear a Cancel.
  void Hang(bool deaf = false);
  void LetGo();
  // Returns when this many hang at once; fails the test after half a minute.
  void AwaitHanging(int count);

  int scans() const;
  int probes() const;
  int cancels() const;
  adapters::ScanRequest last_request() const;

  absl::StatusOr<std::unique_ptr<adapters::Adapter>> Open();

 private:
  struct State;
  class Reader;
  class Fake;
  const std::shared_ptr<State> state_ = MakeState();
  static std::shared_ptr<State> MakeState();
};

}  // namespace sluice::exchange
