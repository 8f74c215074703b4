// Parts of the offline verifier: heads in order, and what the records tell about runs and time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/audit/heads.h"
#include "gateway/audit/segment_reader.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {

// The heads of a folder one after the other, with one file in memory. Each must be over more
// records than the one before.
class HeadStream {
 public:
  HeadStream(FileSystem& files, std::string directory, VerifierKey key,
             std::vector<uint64_t> numbers)
      : files_(files),
        directory_(std::move(directory)),
        key_(std::move(key)),
        numbers_(std::move(numbers)) {}
  // Moves to the next. DATA_LOSS in words, with the place in `where`.
  absl::Status Advance();
  // Null behind the last.
  const StoredHead* current() const {
    return next_ < file_.heads.size() ? &file_.heads[next_] : nullptr;
  }
  const std::string& where() const { return where_; }
  uint64_t count() const { return count_; }

 private:
  absl::Status Load(uint64_t number);

  FileSystem& files_;
  const std::string directory_;
  const VerifierKey key_;
  const std::vector<uint64_t> numbers_;
  size_t file_number_ = 0;  // files loaded so far
  HeadsFile file_;
  size_t next_ = 0;
  uint64_t offset_ = 0;  // of the current head
  uint64_t size_ = 0;    // of the head before
  uint64_t count_ = 0;
  std::string where_;
};

// What STARTED and STOPPED say.
class RunCounter {
 public:
  void Take(uint64_t index, v1::RecordKind kind);
  std::string Finding() const;

 private:
  uint64_t starts_ = 0, stops_ = 0, crashes_ = 0;
  std::vector<uint64_t> crashed_after_;  // the first few
  bool stopped_ = true;
};

// What the records of streams say: each begins with OPENED and ends with one CLOSED or ABANDONED;
// what may have left never becomes less from one PROGRESS to the next, and nothing more leaves than
// the last one says. Memory for those that are open.
class StreamCounter {
 public:
  void Take(uint64_t index, const v1::AuditEnvelope& envelope);
  std::string Finding() const;
  // None unfinished, none out of order.
  bool sound() const { return open_.empty() && !wrong_; }

 private:
  struct Open {
    int64_t rows = 0, bytes = 0, batches = 0, steps = 0;
  };
  uint64_t opened_ = 0, closed_ = 0, abandoned_ = 0;
  std::map<uint64_t, Open> open_;
  std::optional<uint64_t> wrong_;  // the first record that does not fit
};

// The writer's clock, batch by batch.
class TimeLine {
 public:
  void Take(const FrameHeader& header);
  // A record that says by how much the clock stepped.
  void TakeStep(uint64_t index, Micros step);
  std::string Finding() const;
  bool sound() const { return back_ == 0 && unsynchronised_ == 0 && steps_ == 0; }
  Micros last() const { return last_; }

 private:
  bool any_ = false;
  Micros first_ = 0, last_ = 0, farthest_back_ = 0;
  uint64_t back_ = 0, back_at_ = 0, unsynchronised_ = 0, batches_ = 0;
  uint64_t steps_ = 0, step_at_ = 0;  // that were recorded, and the longest
  Micros longest_step_ = 0;
};

// DATA_LOSS where the envelope does not parse, or names another detail than the one beside it.
// The envelope is read into `envelope`: one for many records spares their allocations.
absl::Status CheckRecord(uint64_t index, const RecordView& record, v1::AuditEnvelope& envelope);

}  // namespace sluice::audit
