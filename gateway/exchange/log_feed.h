// What one reader of the log gets, a message at a time: the records of a tail, of an export, or the
// log's entries. LogTail brings it to its reader.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/audit/log_proofs.h"
#include "gateway/audit/record.h"
#include "gateway/base/snapshot_cell.h"
#include "gateway/exchange/broker.h"
#include "gateway/exchange/log_question.h"
#include "google/protobuf/message.h"

namespace sluice::exchange {

// What all that read the log stand on. All outlive it.
struct LogReadingParts {
  audit::Log& log;
  audit::SearchIndex& index;
  const audit::DetailKeys& keys;
  audit::RecordSealer& sealer;
  const audit::Pseudonyms& pseudonyms;
  const Tokens& tokens;
  const SnapshotCell<policy::Snapshot>& snapshots;
  const Clock& clock;
  // The newest head that enough witnesses cosigned; empty, or null, where there is none.
  const SnapshotCell<audit::CosignedHead>* cosigned = nullptr;

  std::shared_ptr<const audit::CosignedHead> Cosigned() const {
    return cosigned == nullptr ? nullptr : cosigned->Get();
  }
};

// Of one reading: what its record says.
struct Reading {
  std::string request_json;
  std::vector<v1::SubjectPseudonym> asked;
  int64_t from = 0, to = 0, shown = 0;
  v1::Reason ended = v1::REASON_UNSPECIFIED;  // of a tail that ended, by its reader or otherwise
};
// Appends the record of a reading; then `answer` with its index, on this thread or the log's.
void RecordReading(const LogReadingParts& parts, const Call& call, const Reading& reading,
                   std::function<void(absl::StatusOr<int64_t>)> answer);

// One thread at a time.
class LogFeed {
 public:
  struct Piece {
    std::unique_ptr<google::protobuf::Message> message;  // null: nothing to tell now
    bool more = false;                                   // ask again at once
    bool last = false;                                   // the whole ends well with this
  };
  virtual ~LogFeed() = default;
  // Called once its reading is recorded, and before all else.
  virtual void Begin(int64_t read_index) = 0;
  // Blocks on the log, for some milliseconds at most. `now` is the monotonic clock's.
  virtual absl::StatusOr<Piece> Next(Micros now) = 0;
  // What the record of its end says; none where that of its beginning said all.
  virtual std::optional<Reading> Ending() const = 0;
};

// Keys of details, each asked for but once. Use it for one message at most: a key may be dropped.
audit::KeyForOpening KeysOnce(const audit::DetailKeys& keys);

}  // namespace sluice::exchange
