// Arrow streams of any bytes. What is read can be written again and is then the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/check.h"
#include "gateway/records/arrow_reader.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/records/text_writers.h"

namespace sluice::records {
namespace {

constexpr size_t kMostBytes = 1 << 20;
// What a few bytes may claim without columns is not to be shown row by row.
constexpr ArrowLimits kFuzzLimits = {.rows = 100'000, .check_precision = false};

std::vector<RecordBatch> ReadStream(std::string_view stream, bool* ok) {
  std::vector<RecordBatch> batches;
  *ok = false;
  auto reader = ArrowStreamReader::Open(ReadFrom(stream), kFuzzLimits);
  if (!reader.ok()) return batches;
  for (;;) {
    auto batch = reader->Next();
    if (!batch.ok()) return batches;
    if (!*batch) break;
    batches.push_back(**std::move(batch));
  }
  *ok = true;
  return batches;
}

void ReadAndWrite(std::string_view stream) {
  bool ok = false;
  const std::vector<RecordBatch> batches = ReadStream(stream, &ok);
  if (batches.empty()) return;
  std::string again, text, text_again;
  AppendArrowSchema(*batches[0].schema(), again);
  for (const RecordBatch& batch : batches) {
    AppendArrowBatch(batch, again);
    AppendJsonLines(batch, text);
  }
  AppendArrowEnd(again);
  const std::vector<RecordBatch> same = ReadStream(again, &ok);
  SLUICE_CHECK(ok && same.size() == batches.size());
  for (const RecordBatch& batch : same) AppendJsonLines(batch, text_again);
  SLUICE_CHECK(text == text_again);
}

}  // namespace
}  // namespace sluice::records

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > sluice::records::kMostBytes) return 0;
  sluice::records::ReadAndWrite({reinterpret_cast<const char*>(data), size});
  return 0;
}
