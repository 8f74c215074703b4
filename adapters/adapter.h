// What a kind of legacy system must do to be lent from. One folder under adapters/ a kind; one
// conformance suite (tests/conformance) that each kind passes whole.
//
// Adapters block: each Next runs as a task of the source's own pool, and no consumer is ever waited
// for in it. An Adapter is used by several threads at once; a RecordReader by one at a time, but
// for Cancel.
//
// Errors carry a reason: SOURCE_UNAVAILABLE, SOURCE_BAD_VALUE (with the row's position, never a
// value), SCHEMA_DRIFT, DEADLINE_EXCEEDED, CANCELLED. Other statuses are internal.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/records/predicate.h"
#include "gateway/records/types.h"

namespace sluice::adapters {

// A field as a dataset wants it read.
struct FieldRequest {
  std::string column;  // its name in the source
  records::Field field;
};

enum class OnBadValue { kStop, kNullAndCount };
// Of a record that is no row at all. A source that has no such records takes either.
enum class OnBadRecord { kStop, kRejectAndCount };

// The values of the key columns of a row, in the order of the key: where a scan goes on.
using KeyPosition = std::vector<records::Scalar>;

struct ScanRequest {
  std::string table;                 // table or view
  std::vector<FieldRequest> fields;  // batches have these columns, in this order
  // Indices into fields: the total order of the dataset, unique together. Where it is not empty,
  // rows come in ascending order of it, text by code point, nulls first.
  std::vector<int> key;
  // Go on behind this position; only with a key.
  std::optional<KeyPosition> after;
  // Over fields (Predicate::field indexes them). A hint: an adapter may use any part of it to send
  // fewer rows, if it is certain that no row is dropped for which the whole is TRUE. The gateway
  // evaluates it again.
  records::Predicate predicate;
  // A hint how many rows will be taken; 0 is unknown. Never a reason to end early.
  int64_t rows_wanted = 0;
  OnBadValue on_bad_value = OnBadValue::kStop;
  OnBadRecord on_bad_record = OnBadRecord::kStop;
};

// Of the batches of such a scan.
inline records::SchemaPtr SchemaOf(const ScanRequest& request) {
  std::vector<records::Field> fields;
  fields.reserve(request.fields.size());
  for (const FieldRequest& field : request.fields) fields.push_back(field.field);
  return std::make_shared<const records::Schema>(std::move(fields));
}

// Asked to stop: by a deadline or by a person. Shared by the call, the reader and the registry of
// running exchanges.
class StopToken {
 public:
  void Stop() { stopped_.store(true, std::memory_order_release); }
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> stopped_{false};
};

struct CallContext {
  const Clock* clock = nullptr;
  Micros deadline = 0;  // on clock->Monotonic(); 0 for none
  std::shared_ptr<StopToken> stop;
  // Adapter::Rest is called when no further call waits: until then what one call opened may be kept
  // for the next.
  bool rests = false;
  // Describe looks at some of the data too, and says what would fit: TableDescription::proposals;
  // of a table that cannot be read, in the error's note for the operator.
  bool proposes = false;
};

// In an error's keys, beside SOURCE_UNAVAILABLE: the setting by which what is there is not served
// yet. Nothing is wrong with the source.
inline constexpr char kHeldBack[] = "held_back";

struct SourceVersion {
  std::string version;          // opaque; empty where the source cannot tell
  std::optional<Micros> as_of;  // when the data was last changed, where the source can tell
  // Under kRejectAndCount: how many records of the whole table are no rows and were left out.
  int64_t rejected_records = 0;
  bool operator==(const SourceVersion&) const = default;
};

// A value that was set to null because it did not fit: row and column of its batch.
struct BadCell {
  int64_t row = 0;
  int field = 0;
  bool operator==(const BadCell&) const = default;
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // About 16 Ki rows or 1 MiB at most, at least one row; nullopt at the end.
  virtual absl::StatusOr<std::optional<records::RecordBatch>> Next() = 0;
  // From any thread, at any time until destruction: a running or later Next ends soon with
  // CANCELLED, and the source is told.
  virtual void Cancel() = 0;
  // The version of what is read; fixed from the first Next on.
  virtual SourceVersion version() const = 0;
  // Whether scans of the same version show the same rows: then pages are bound to the version, and
  // a change between them is SOURCE_CHANGED. A live table is none.
  virtual bool snapshot() const { return false; }
  // Values set to null so far, under kNullAndCount.
  virtual int64_t bad_values() const = 0;
  // Those of the batch that Next gave last, row by row.
  virtual const std::vector<BadCell>& bad_cells() const = 0;
};

struct ColumnDescription {
  std::string name;
  records::DataType type;  // what the source's own type maps to
  bool nullable = true;
  std::string source_type;  // as the source calls it
};

struct TableDescription {
  std::string table;
  std::vector<ColumnDescription> columns;
  std::vector<std::vector<std::string>> unique_keys;  // the primary key first
  bool snapshot = false;                              // whether a whole scan shows one state
  SourceVersion version;
  std::string note;  // what its owner should know, a sentence; never a value
  // Of this version, where it is known without reading it.
  std::optional<int64_t> rows;
  // Settings of the source, and types, that would fit what was looked at: a sentence each, for
  // people to judge; never a value.
  std::vector<std::string> proposals;
};

class Adapter {
 public:
  virtual ~Adapter() = default;
  // Tables with their columns; of one table where a name is given. NOT_FOUND (status) where absent.
  virtual absl::StatusOr<std::vector<TableDescription>> Describe(const std::string& table,
                                                                 const CallContext& context) = 0;
  virtual absl::StatusOr<std::unique_ptr<RecordReader>> Scan(ScanRequest request,
                                                             const CallContext& context) = 0;
  // Reachable and readable; quick.
  virtual absl::Status Probe(const CallContext& context) = 0;
  // What its owner should know of the source though it can be read, as sentences: what was found by
  // the calls before. Quick.
  virtual std::vector<std::string> Notes() { return {}; }
  // No further call waits: lets go of what is kept from one call to the next and others feel, such
  // as read transactions. Quick.
  virtual void Rest() {}
};

// Settings of a source, as its owner agreed with the operator.
using Settings = std::map<std::string, std::string>;

}  // namespace sluice::adapters
