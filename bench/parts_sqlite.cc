// The adapter `sqlite` alone: one row by its key, and a scan.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "adapters/registry.h"
#include "bench/parts_world.h"
#include "bench/permits.h"
#include "bench/permits_file.h"
#include "gateway/base/clock.h"

namespace sluice::bench {
namespace {

constexpr int64_t kRows = 50'000;

adapters::ScanRequest WholeTable() {
  adapters::ScanRequest scan;
  scan.table = "permit";
  for (const records::Field& field : Permits::Schema()->fields())
    scan.fields.push_back({field.name, field});
  scan.key = {0};
  return scan;
}

std::unique_ptr<adapters::Adapter> OpenTable(const PartsFolder& folder) {
  const std::string database = folder.path() + "/permits.db";
  MustBeOk(WritePermits(database, kRows));
  auto adapter = adapters::FindKind("sqlite")->open({{"file", database}});
  MustBeOk(adapter.status());
  return *std::move(adapter);
}

// Rows that the scan gives.
int64_t ReadAll(adapters::Adapter& adapter, const adapters::ScanRequest& scan) {
  static const auto& clock = *new auto(MakeSystemClock());
  adapters::CallContext context;
  context.clock = clock.get();
  const auto reader = adapter.Scan(scan, context);
  MustBeOk(reader.status());
  for (int64_t rows = 0;;) {
    const auto batch = (*reader)->Next();
    MustBeOk(batch.status());
    if (!batch->has_value()) return rows;
    rows += (*batch)->rows();
  }
}

void SqliteLookup(benchmark::State& state) {
  const PartsFolder folder("lookup");
  const auto adapter = OpenTable(folder);
  adapters::ScanRequest scan = WholeTable();
  scan.rows_wanted = 2;
  scan.predicate.op = records::Op::kEqual;
  scan.predicate.field = 0;
  int64_t key = 0;
  for (auto _ : state) {
    key = (key + 7919) % kRows;
    scan.predicate.values = {key + 1};
    if (ReadAll(*adapter, scan) != 1) return state.SkipWithError("not one row");
  }
}
BENCHMARK(SqliteLookup);

void SqliteScan(benchmark::State& state) {
  const PartsFolder folder("scan");
  const auto adapter = OpenTable(folder);
  const adapters::ScanRequest scan = WholeTable();
  for (auto _ : state)
    if (ReadAll(*adapter, scan) != kRows) return state.SkipWithError("rows are missing");
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(SqliteScan)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::bench
