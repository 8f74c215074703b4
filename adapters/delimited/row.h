// The row that a stream stands at, as values of the fields asked for. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/delimited/encoding.h"
#include "adapters/delimited/layout.h"
#include "adapters/delimited/record_stream.h"
#include "adapters/delimited/settings.h"
#include "adapters/delimited/values.h"

namespace sluice::adapters::delimited {

// Text of a field without what its quoting added; a view of `text` or of `scratch`. UTF-8.
std::string_view Unescaped(std::string_view text, bool quoted, const Dialect& dialect,
                           std::string& scratch);

class Row {
 public:
  // SCHEMA_DRIFT where a column is not in the layout.
  static absl::StatusOr<std::unique_ptr<Row>> Make(
      std::shared_ptr<const DelimitedSettings> settings, const Layout& layout, std::string table,
      const std::vector<FieldRequest>& fields, const std::vector<int>& key);

  // SOURCE_BAD_VALUE where it has more or fewer fields than the layout.
  absl::Status Check(const RecordStream& stream) const;
  // The i-th field asked for; nothing where it is not of its type: why() says more. The value
  // borrows until the next call.
  std::optional<Value> Read(const RecordStream& stream, size_t i);
  const char* why() const { return why_; }
  // No more bytes than the fields will take in a batch.
  int64_t MostBytes(const RecordStream& stream) const;
  // The row's key, encoded. SOURCE_BAD_VALUE where a part of it is none.
  absl::Status Key(const RecordStream& stream, std::string& key);

 private:
  struct Part {
    size_t column;
    std::string name;  // of the column
    records::DataType type;
    ValueRule rule;
  };

  Row(std::shared_ptr<const DelimitedSettings> settings, std::string table, Decoder decoder)
      : settings_(std::move(settings)), table_(std::move(table)), decoder_(std::move(decoder)) {}
  bool IsNull(const FieldSpan& span, std::string_view text) const;

  const std::shared_ptr<const DelimitedSettings> settings_;
  const std::string table_;
  size_t columns_ = 0;
  std::vector<Part> parts_;
  std::vector<int> key_;
  Decoder decoder_;
  std::string decoded_, unescaped_, scratch_;
  const char* why_ = "";
};

}  // namespace sluice::adapters::delimited
