#include "gateway/exchange/stream_batches.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/records/text_writers.h"

namespace sluice::exchange {
namespace {

absl::Status RowTooLarge() {
  return Error(v1::REASON_ROW_TOO_LARGE, "one row is larger than a message may be.");
}

Hash DigestOf(const Pieces& payload) {
  Sha256Stream digest;
  for (const std::string_view piece : payload.pieces()) digest.Update(piece);
  return digest.Finish();
}

// What is known of the rows of the open batch.
struct OpenBatch {
  StreamBatch batch;

  // Rows [begin, begin + count) of an Add.
  void Take(RowFacts& facts, int64_t begin, int64_t count) {
    batch.rows += count;
    for (int64_t row = begin; row < begin + count; ++row) {
      if (!facts.bad_values.empty()) batch.bad_values += facts.bad_values[row];
      if (!facts.subjects.empty()) batch.subjects.push_back(std::move(facts.subjects[row]));
    }
  }
  // Puts it out with this payload.
  void Close(Pieces payload, int64_t last_row, std::vector<StreamBatch>& done) {
    batch.payload = std::move(payload);
    batch.digest = DigestOf(batch.payload);
    batch.last_row = last_row;
    done.push_back(std::exchange(batch, StreamBatch()));
  }
};

class TextBatchMaker : public BatchMaker {
 public:
  TextBatchMaker(records::RowTextWriter::Format format, const records::Schema& schema,
                 size_t most_bytes, bool continued)
      : writer_(format, schema), most_bytes_(most_bytes) {
    if (!continued) text_ = writer_.header();
  }

  absl::Status Add(const records::RecordBatch& rows, RowFacts facts,
                   std::vector<StreamBatch>& done) override {
    for (int64_t row = 0; row < rows.rows(); ++row) {
      const size_t before = text_.size();
      writer_.AppendRow(rows, row, text_);
      if (text_.size() > most_bytes_ && before > 0) {
        // It begins the next batch.
        std::string text = text_.substr(before);
        text_.resize(before);
        Close(row - 1, done);
        text_ = std::move(text);
      }
      if (text_.size() > most_bytes_) return RowTooLarge();
      open_.Take(facts, row, 1);
      if (open_.batch.rows >= kBatchRows || text_.size() >= kBatchBytes) Close(row, done);
    }
    return absl::OkStatus();
  }

  void Finish(bool /*whole*/, std::vector<StreamBatch>& done) override {
    if (!text_.empty()) Close(-1, done);
  }

 private:
  void Close(int64_t last_row, std::vector<StreamBatch>& done) {
    open_.Close(Pieces(std::exchange(text_, std::string())), last_row, done);
    text_.reserve(kBatchBytes + 4096);
  }

  const records::RowTextWriter writer_;
  const size_t most_bytes_;
  std::string text_;
  OpenBatch open_;
};

// The schema is a batch of its own, and so is the end mark: each payload is one message.
class ArrowBatchMaker : public BatchMaker {
 public:
  ArrowBatchMaker(const records::SchemaPtr& schema, size_t most_bytes, bool continued)
      : schema_(schema), most_bytes_(static_cast<int64_t>(most_bytes)), begun_(continued) {
    for (size_t column = 0; column < schema->size(); ++column) {
      const records::TypeId id = schema->field(column).type.id;
      if (id == records::TypeId::kUtf8 || id == records::TypeId::kBinary) texts_.push_back(column);
      row_bytes_ += records::WidthOf(schema->field(column).type);
    }
    bytes_ = EmptyBytes();
  }

  absl::Status Add(const records::RecordBatch& rows, RowFacts facts,
                   std::vector<StreamBatch>& done) override {
    Begin(done);
    for (int64_t begin = 0; begin < rows.rows();) {
      int64_t end = EndOf(rows, begin);
      int64_t bytes = BytesOf(rows, begin, end);
      bool complete =
          bytes_ + bytes >= kArrowBatchBytes || open_.batch.rows + end - begin >= kArrowBatchRows;
      if (bytes_ + bytes > most_bytes_) {
        // Its last row begins the next batch.
        --end;
        if (open_.batch.rows + end - begin == 0) return RowTooLarge();
        bytes = BytesOf(rows, begin, end);
        complete = true;
      }
      if (end > begin) {
        ranges_.push_back({rows, begin, end - begin});
        open_.Take(facts, begin, end - begin);
        bytes_ += bytes;
      }
      begin = end;
      if (complete) Close(end - 1, done);
    }
    return absl::OkStatus();
  }

  void Finish(bool whole, std::vector<StreamBatch>& done) override {
    Begin(done);
    if (open_.batch.rows > 0) Close(-1, done);
    // What is cut off says so by having no mark.
    if (!whole) return;
    std::string mark;
    records::AppendArrowEnd(mark);
    open_.Close(Pieces(std::move(mark)), -1, done);
  }

 private:
  // What a message of no rows takes at most beside its values.
  int64_t EmptyBytes() const { return 512 + 128 * static_cast<int64_t>(schema_->size()); }

  void Begin(std::vector<StreamBatch>& done) {
    if (begun_) return;
    begun_ = true;
    open_.Close(Pieces(records::EncodeArrowSchema(*schema_)), -1, done);
  }

  // Of the values of rows [begin, end).
  int64_t BytesOf(const records::RecordBatch& rows, int64_t begin, int64_t end) const {
    int64_t bytes = (end - begin) * row_bytes_;
    for (const size_t column : texts_) bytes += rows.column(column).BytesIn(begin, end);
    return bytes;
  }

  // Behind the row that completes the open batch, or the last that there is.
  int64_t EndOf(const records::RecordBatch& rows, int64_t begin) const {
    const int64_t most = std::min(rows.rows(), begin + kArrowBatchRows - open_.batch.rows);
    int64_t low = begin + 1, high = most;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (bytes_ + BytesOf(rows, begin, middle) >= kArrowBatchBytes) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  void Close(int64_t last_row, std::vector<StreamBatch>& done) {
    struct Kept {
      records::RecordBatch batch;
      records::ArrowMessage message;
    };
    auto kept = std::make_shared<Kept>(Kept{records::Join(schema_, ranges_), {}});
    ranges_.clear();
    bytes_ = EmptyBytes();
    kept->message = records::EncodeArrowBatch(kept->batch);
    std::vector<std::string_view> pieces;
    pieces.reserve(1 + kept->message.body.size());
    pieces.push_back(kept->message.metadata);
    pieces.insert(pieces.end(), kept->message.body.begin(), kept->message.body.end());
    open_.Close(Pieces(std::move(pieces), std::move(kept)), last_row, done);
  }

  const records::SchemaPtr schema_;
  const int64_t most_bytes_;
  std::vector<size_t> texts_;  // columns whose values differ in length
  int64_t row_bytes_ = 0;      // of the others, a row
  bool begun_;
  std::vector<records::RowRange> ranges_;  // of the open batch
  int64_t bytes_ = 0;
  OpenBatch open_;
};

}  // namespace

void StreamTotals::Add(const StreamBatch& batch) {
  rows_ += batch.rows;
  bad_values_ += batch.bad_values;
  bytes_ += static_cast<int64_t>(batch.payload.size());
  tree_.Append(audit::LeafHash(AsBytes(batch.digest)));
}

void BatchLengths::Add(const StreamBatch& batch) {
  if (++batches_ <= kMost) {
    list_.push_back(static_cast<int32_t>(batch.payload.size()));
  } else {
    list_ = std::vector<int32_t>();
  }
}

std::unique_ptr<BatchMaker> MakeBatchMaker(std::string_view media_type,
                                           const records::SchemaPtr& schema, size_t most_bytes,
                                           bool continued) {
  using Format = records::RowTextWriter::Format;
  if (media_type == kJsonLinesMediaType)
    return std::make_unique<TextBatchMaker>(Format::kJsonLines, *schema, most_bytes, continued);
  if (media_type == kCsvMediaType)
    return std::make_unique<TextBatchMaker>(Format::kCsv, *schema, most_bytes, continued);
  if (media_type == records::kArrowStreamMediaType)
    return std::make_unique<ArrowBatchMaker>(schema, most_bytes, continued);
  return nullptr;
}

std::string StreamMediaTypes() {
  return absl::StrCat(std::string(kJsonLinesMediaType), ", ", std::string(kCsvMediaType), " or ",
                      std::string(records::kArrowStreamMediaType));
}

}  // namespace sluice::exchange
