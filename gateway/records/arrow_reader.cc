#include "gateway/records/arrow_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/records/arrow_body.h"
#include "gateway/records/arrow_metadata.h"

namespace sluice::records {
namespace {

constexpr size_t kPrefixBytes = 8;
constexpr uint32_t kContinuation = 0xFFFFFFFF;
constexpr int64_t kReadAtOnce = 1 << 20;

absl::Status BadArrow(std::string_view what) { return absl::InvalidArgumentError(View(what)); }

absl::StatusOr<RecordBatch> ReadArrowBatch(const arrow::Message& message, std::string_view body,
                                           const SchemaPtr& schema, const ArrowLimits& limits) {
  const arrow::RecordBatch* header = message.header_as_RecordBatch();
  if (header == nullptr) return BadArrow("it is " + NameOfArrowHeader(message.header_type()));
  if (message.body_length() != static_cast<int64_t>(body.size()))
    return BadArrow("its body is not as long as its metadata says");
  return ReadArrowBody(*header, body, schema, limits);
}

}  // namespace

ReadBytes ReadFrom(std::string_view text) {
  return [text](char* into, size_t count) mutable -> absl::StatusOr<size_t> {
    const size_t taken = text.copy(into, count);
    text.remove_prefix(taken);
    return taken;
  };
}

struct ArrowStreamReader::Message {
  std::string metadata;  // behind its prefix, so at a multiple of 8
  std::string body;
};

absl::Status ArrowStreamReader::Wrong(std::string_view what) const {
  return BadArrow(absl::StrCat("Arrow message ", messages_, ": ", View(what), "."));
}

absl::StatusOr<size_t> ArrowStreamReader::Fill(char* into, size_t count) {
  size_t filled = 0;
  while (filled < count) {
    SLUICE_ASSIGN_OR_RETURN(const size_t more, read_(into + filled, count - filled));
    if (more == 0) break;
    filled += more;
  }
  return filled;
}

// In steps: what a length claims is not allocated before it has come.
absl::StatusOr<std::string> ArrowStreamReader::ReadExactly(int64_t count, std::string_view what) {
  std::string bytes;
  while (static_cast<int64_t>(bytes.size()) < count) {
    const size_t before = bytes.size();
    const auto step =
        static_cast<size_t>(std::min<int64_t>(kReadAtOnce, count - static_cast<int64_t>(before)));
    bytes.resize(before + step);
    SLUICE_ASSIGN_OR_RETURN(const size_t filled, Fill(bytes.data() + before, step));
    if (filled < step) return Wrong(absl::StrCat("the stream ends within its ", View(what)));
  }
  return bytes;
}

absl::StatusOr<std::optional<ArrowStreamReader::Message>> ArrowStreamReader::NextMessage() {
  if (ended_) return std::nullopt;
  ++messages_;
  char prefix[kPrefixBytes];
  SLUICE_ASSIGN_OR_RETURN(const size_t filled, Fill(prefix, sizeof(prefix)));
  if (filled == 0) {
    ended_ = true;
    return std::nullopt;
  }
  if (filled < sizeof(prefix)) return Wrong("the stream ends within its length");
  uint32_t mark;
  int32_t length;
  std::memcpy(&mark, prefix, sizeof(mark));
  std::memcpy(&length, prefix + sizeof(mark), sizeof(length));
  if (mark != kContinuation) return Wrong("it does not begin with FF FF FF FF");
  if (length == 0) {
    ended_ = whole_ = true;
    char more;
    SLUICE_ASSIGN_OR_RETURN(const size_t trailing, Fill(&more, 1));
    if (trailing > 0) return Wrong("the stream goes on behind its end");
    return std::nullopt;
  }
  if (length < 8 || length % 8 != 0 || length > limits_.metadata_bytes)
    return Wrong("its metadata's length");
  Message message;
  SLUICE_ASSIGN_OR_RETURN(message.metadata, ReadExactly(length, "metadata"));
  const auto header = VerifyArrow(message.metadata, limits_);
  if (!header.ok()) return Wrong(std::string(header.status().message()));
  SLUICE_ASSIGN_OR_RETURN(message.body, ReadExactly((*header)->body_length(), "body"));
  return message;
}

absl::StatusOr<ArrowStreamReader> ArrowStreamReader::Open(ReadBytes read,
                                                          const ArrowLimits& limits) {
  ArrowStreamReader reader(std::move(read), limits);
  SLUICE_ASSIGN_OR_RETURN(const auto message, reader.NextMessage());
  if (!message) return reader.Wrong("the stream has no schema");
  auto schema = ReadArrowSchema(*arrow::GetMessage(message->metadata.data()), limits);
  if (!schema.ok()) return reader.Wrong(std::string(schema.status().message()));
  reader.schema_ = *std::move(schema);
  return reader;
}

absl::StatusOr<std::optional<RecordBatch>> ArrowStreamReader::Next() {
  SLUICE_ASSIGN_OR_RETURN(const auto message, NextMessage());
  if (!message) return std::nullopt;
  auto batch =
      ReadArrowBatch(*arrow::GetMessage(message->metadata.data()), message->body, schema_, limits_);
  if (!batch.ok()) {
    ended_ = true;
    return Wrong(std::string(batch.status().message()));
  }
  return std::optional<RecordBatch>(*std::move(batch));
}

absl::StatusOr<SchemaPtr> DecodeArrowSchema(std::string_view metadata, const ArrowLimits& limits) {
  SLUICE_ASSIGN_OR_RETURN(const arrow::Message* message, VerifyArrow(metadata, limits));
  return ReadArrowSchema(*message, limits);
}

absl::StatusOr<RecordBatch> DecodeArrowBatch(std::string_view metadata, std::string_view body,
                                             const SchemaPtr& schema, const ArrowLimits& limits) {
  SLUICE_ASSIGN_OR_RETURN(const arrow::Message* message, VerifyArrow(metadata, limits));
  return ReadArrowBatch(*message, body, schema, limits);
}

}  // namespace sluice::records
