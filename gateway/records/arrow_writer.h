// Batches as Apache Arrow's IPC format (docs/formats/arrow.md): a stream is a schema, batches and
// an end mark; a file is a stream between magics, with an index at its end. What is written is what
// a strict reader demands: buffers at multiples of 8, padding zero, no validity where nothing is
// null.
//
//   std::string out;
//   AppendArrowSchema(schema, out);
//   for (const RecordBatch& batch : batches) AppendArrowBatch(batch, out);
//   AppendArrowEnd(out);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/records/types.h"

namespace sluice::records {

inline constexpr std::string_view kArrowStreamMediaType = "application/vnd.apache.arrow.stream";

// A batch's message, whose body is put together by whoever sends it.
struct ArrowMessage {
  // Continuation mark, length, metadata and padding: a multiple of 8 bytes.
  std::string metadata;
  // The body's bytes one after the other, padding and all. They borrow from the batch.
  std::vector<std::string_view> body;
  // Of the body; a multiple of 8.
  int64_t body_bytes = 0;

  int64_t bytes() const { return static_cast<int64_t>(metadata.size()) + body_bytes; }
};

// The schema's message, which has no body. Fields have the types of DataType; UTC is zone "UTC".
std::string EncodeArrowSchema(const Schema& schema);
ArrowMessage EncodeArrowBatch(const RecordBatch& batch);

void AppendArrowSchema(const Schema& schema, std::string& out);
void AppendArrowBatch(const RecordBatch& batch, std::string& out);
void AppendArrowEnd(std::string& out);

// The file form, for bytes that go to one place in order: each call returns what comes next.
class ArrowFileWriter {
 public:
  explicit ArrowFileWriter(SchemaPtr schema) : schema_(std::move(schema)) {}
  std::string Begin();
  std::string Batch(const RecordBatch& batch);
  std::string End();

 private:
  struct Place {
    int64_t offset = 0, body_bytes = 0;
    int32_t metadata_bytes = 0;
  };
  const SchemaPtr schema_;
  int64_t written_ = 0;
  std::vector<Place> batches_;
};

}  // namespace sluice::records
