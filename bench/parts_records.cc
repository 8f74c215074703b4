// Encoding and decoding a batch.
#include <benchmark/benchmark.h>

#include "bench/permits.h"
#include "gateway/records/arrow_reader.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/records/row_batch.h"
#include "gateway/records/text_writers.h"

namespace sluice::bench {
namespace {

const records::RecordBatch& TheBatch() {
  static const auto& batch = *new records::RecordBatch(Permits(1).Batch(0));
  return batch;
}

// `encode` returns the bytes.
template <class Encode>
void Encoding(benchmark::State& state, const Encode& encode) {
  size_t bytes = 0;
  for (auto _ : state) {
    const std::string out = encode(TheBatch());
    bytes = out.size();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * TheBatch().rows());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

void EncodeRowBatch(benchmark::State& state) {
  Encoding(state, [](const auto& batch) { return records::EncodeRowBatch(batch); });
}
BENCHMARK(EncodeRowBatch);

void EncodeJsonLines(benchmark::State& state) {
  Encoding(state, [](const auto& batch) {
    std::string out;
    records::AppendJsonLines(batch, out);
    return out;
  });
}
BENCHMARK(EncodeJsonLines);

void EncodeCsv(benchmark::State& state) {
  Encoding(state, [](const auto& batch) {
    std::string out;
    records::AppendCsv(batch, out);
    return out;
  });
}
BENCHMARK(EncodeCsv);

void EncodeArrow(benchmark::State& state) {
  Encoding(state, [](const auto& batch) {
    std::string out;
    records::AppendArrowBatch(batch, out);
    return out;
  });
}
BENCHMARK(EncodeArrow);

void DecodeArrow(benchmark::State& state) {
  std::string bytes;
  records::AppendArrowSchema(*Permits::Schema(), bytes);
  records::AppendArrowBatch(TheBatch(), bytes);
  records::AppendArrowEnd(bytes);
  for (auto _ : state) {
    auto reader = records::ArrowStreamReader::Open(records::ReadFrom(bytes), {});
    auto batch = reader->Next();
    if (!batch.ok() || !batch->has_value()) return state.SkipWithError("does not decode");
    benchmark::DoNotOptimize(batch);
  }
  state.SetItemsProcessed(state.iterations() * TheBatch().rows());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(DecodeArrow);

}  // namespace
}  // namespace sluice::bench
