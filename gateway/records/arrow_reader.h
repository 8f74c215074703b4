// Apache Arrow's IPC streams from strangers: strict, bounded, and never trusting a length before
// the bytes it speaks of are there. What is read is what arrow_writer.h writes, of whoever wrote
// it: types outside DataType are refused by their names (docs/formats/arrow.md).
//
//   SLUICE_ASSIGN_OR_RETURN(ArrowStreamReader reader, ArrowStreamReader::Open(bytes, {}));
//   for (;;) {
//     SLUICE_ASSIGN_OR_RETURN(std::optional<RecordBatch> batch, reader.Next());
//     if (!batch) break;
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/records/types.h"

namespace sluice::records {

// What a stream may ask of its reader. Beyond: INVALID_ARGUMENT.
struct ArrowLimits {
  int64_t metadata_bytes = 16 << 20;  // of one message
  int64_t body_bytes = 256 << 20;     // of one message
  int64_t columns = 4096;
  int64_t name_bytes = 1 << 20;     // of all names of fields together
  int64_t rows = int64_t{1} << 28;  // of one batch
  // Whether each decimal has to have no more digits than its type's precision. Not all writers see
  // to it, so it can be left.
  bool check_precision = true;
};

// The next at most `count` bytes into `into`; how many there were, 0 at the end.
using ReadBytes = std::function<absl::StatusOr<size_t>(char* into, size_t count)>;
// From text that stays as it is meanwhile.
ReadBytes ReadFrom(std::string_view text);

// Errors are INVALID_ARGUMENT for what is wrong with the bytes, naming the message (from 1) and
// where it applies the column; and whatever `read` gives.
class ArrowStreamReader {
 public:
  // Reads the schema.
  static absl::StatusOr<ArrowStreamReader> Open(ReadBytes read, const ArrowLimits& limits);

  const SchemaPtr& schema() const { return schema_; }
  // Nothing after the last batch. Values of date and time may be any that the type holds, also
  // such as have no four-digit year.
  absl::StatusOr<std::optional<RecordBatch>> Next();
  // Whether the stream ended with its mark; without it, it may have been cut between two batches.
  bool whole() const { return whole_; }

 private:
  struct Message;
  ArrowStreamReader(ReadBytes read, const ArrowLimits& limits)
      : read_(std::move(read)), limits_(limits) {}
  // Fills as much as there is.
  absl::StatusOr<size_t> Fill(char* into, size_t count);
  // The next message's metadata, verified, and its body; nothing at the end.
  absl::StatusOr<std::optional<Message>> NextMessage();
  absl::StatusOr<std::string> ReadExactly(int64_t count, std::string_view what);
  absl::Status Wrong(std::string_view what) const;

  ReadBytes read_;
  ArrowLimits limits_;
  SchemaPtr schema_;
  int64_t messages_ = 0;
  bool ended_ = false, whole_ = false;
};

// The schema in a message's metadata (without mark and length), and the batch in one with its body:
// for messages that came in another way. `metadata` must begin at a multiple of 8.
absl::StatusOr<SchemaPtr> DecodeArrowSchema(std::string_view metadata, const ArrowLimits& limits);
absl::StatusOr<RecordBatch> DecodeArrowBatch(std::string_view metadata, std::string_view body,
                                             const SchemaPtr& schema, const ArrowLimits& limits);

}  // namespace sluice::records
