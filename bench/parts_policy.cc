// Deciding, filtering, applying a grant and masking.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bench/parts_world.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/apply.h"

namespace sluice::bench {
namespace {

void DecideLookup(benchmark::State& state) {
  const PartsWorld& world = World();
  v1::QueryRequest request = world.Request("permit_no = $key");
  (*request.mutable_parameters())["key"].add_values()->set_int64_value(17);
  for (auto _ : state) benchmark::DoNotOptimize(world.Decided(request, v1::MODE_QUERY));
}
BENCHMARK(DecideLookup);

void DecideRead(benchmark::State& state) {
  const PartsWorld& world = World();
  const v1::QueryRequest request = world.Request("");
  for (auto _ : state) benchmark::DoNotOptimize(world.Decided(request, v1::MODE_READ));
}
BENCHMARK(DecideRead);

// Among so many grants, each of another agency; callers come from all of them in turn.
void DecideAmongGrants(benchmark::State& state) {
  const PartsWorld& world = World();
  auto snapshot = std::make_shared<policy::Snapshot>(*world.snapshot);
  const policy::Grant& one = *world.snapshot->grants.at("abc234");
  std::vector<identity::Principal> callers;
  for (int64_t i = 0; i < state.range(0); ++i) {
    auto grant = std::make_shared<policy::Grant>(one);
    const std::string agency = absl::StrCat("agency-", i);
    grant->definition.set_consumer_agency(agency);
    grant->definition.set_id(absl::StrCat("g", i));
    snapshot->grants[grant->definition.id()] = grant;
    snapshot->by_consumer[absl::StrCat(agency, "\n", grant->definition.dataset())] = {grant};
    if (i % std::max<int64_t>(1, state.range(0) / 64) != 0) continue;
    callers.push_back(world.caller);
    callers.back().agency = agency;
  }
  v1::QueryRequest request = world.Request("permit_no = $key");
  (*request.mutable_parameters())["key"].add_values()->set_int64_value(17);
  const policy::SnapshotPtr decided_by = snapshot;
  size_t next = 0;
  for (auto _ : state) {
    policy::Decision decision = policy::Decide(callers[next++ % callers.size()], request,
                                               decided_by, world.now, world.limits);
    if (decision.denial) MustBeOk(decision.denial->status);
    benchmark::DoNotOptimize(decision);
  }
}
BENCHMARK(DecideAmongGrants)->Arg(100)->Arg(100'000);

// The row filter of the grant and a filter of the consumer's.
void EvaluateFilter(benchmark::State& state) {
  const PartsWorld& world = World();
  const policy::Plan plan = world.Decided(
      world.Request("kind = \"hotel\" AND issued >= 2018-01-01 AND (capital > 1000 OR fee < 500)"),
      v1::MODE_READ);
  const records::RecordBatch scanned = world.Scanned(plan);
  records::ColumnView columns(plan.dataset->schema->size(), nullptr);
  for (size_t i = 0; i < plan.scan_fields.size(); ++i)
    columns[static_cast<size_t>(plan.scan_fields[i])] = &scanned.column(i);
  for (auto _ : state)
    benchmark::DoNotOptimize(records::Evaluate(plan.predicate, columns, scanned.rows()));
  state.SetItemsProcessed(state.iterations() * scanned.rows());
}
BENCHMARK(EvaluateFilter);

// A whole batch: row filter, mask, projection.
void ApplyGrant(benchmark::State& state) {
  const PartsWorld& world = World();
  const policy::Plan plan = world.Decided(world.Request(""), v1::MODE_READ);
  const records::RecordBatch scanned = world.Scanned(plan);
  for (auto _ : state) {
    auto applied = policy::Apply(plan, scanned, scanned.rows(), world.pseudonyms);
    MustBeOk(applied.status());
    benchmark::DoNotOptimize(applied);
  }
  state.SetItemsProcessed(state.iterations() * scanned.rows());
}
BENCHMARK(ApplyGrant);

void Mask(benchmark::State& state, const char* field_name, const char* text) {
  const PartsWorld& world = World();
  const policy::Plan plan = world.Decided(world.Request(""), v1::MODE_READ);
  const records::RecordBatch scanned = world.Scanned(plan);
  const auto mask = catalogue::ParseMask(text);
  MustBeOk(mask.status());
  const auto field = plan.dataset->schema->IndexOf(field_name);
  const auto column = scanned.schema()->IndexOf(field_name);
  for (auto _ : state) {
    benchmark::DoNotOptimize(policy::ApplyMask(*mask, scanned.column(*column), *plan.dataset,
                                               static_cast<int>(*field), "civil-affairs",
                                               world.pseudonyms));
  }
  state.SetItemsProcessed(state.iterations() * scanned.rows());
}
BENCHMARK_CAPTURE(Mask, partial, "holder", "partial(4..0)");
BENCHMARK_CAPTURE(Mask, pseudonym, "holder", "pseudonym");
BENCHMARK_CAPTURE(Mask, date, "issued", "date(year)");
BENCHMARK_CAPTURE(Mask, bucket, "fee", "bucket(100)");

}  // namespace
}  // namespace sluice::bench
