// Sealing a record, and appending it to a log on a real disk.
#include <benchmark/benchmark.h>

#include "bench/parts_world.h"
#include "gateway/audit/log.h"
#include "gateway/audit/record.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace sluice::bench {
namespace {

// As of a lookup: one subject asked about, one released.
audit::Draft LookupDraft() {
  audit::Draft draft = audit::NewDraft(v1::RECORD_KIND_RELEASED);
  draft.envelope.set_dataset("public-security/persons");
  draft.envelope.set_grant("abc234");
  draft.envelope.set_purpose("relief");
  draft.envelope.set_count(1);
  draft.envelope.set_digest(std::string(32, 'd'));
  draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_LISTED);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_LISTED);
  return draft;
}

void SealRecord(benchmark::State& state) {
  const PartsFolder folder("seal");
  const auto files = MakePosixFileSystem();
  const auto clock = MakeSystemClock();
  const auto random = MakeSystemRandom();
  const auto keys = audit::DetailKeys::Open(folder.path() + "/keys", *files, *random);
  MustBeOk(keys.status());
  audit::RecordSealer sealer(**keys, *clock, *random);
  const audit::Draft draft = LookupDraft();
  for (auto _ : state) {
    auto sealed = sealer.Seal(draft);
    MustBeOk(sealed.status());
    benchmark::DoNotOptimize(sealed);
  }
}
BENCHMARK(SealRecord);

// So many appends at once, then all of them awaited: one sync or a few serve them.
void AppendRecords(benchmark::State& state) {
  const PartsFolder folder("append");
  const auto files = MakePosixFileSystem();
  const auto clock = MakeSystemClock();
  const auto key = SigningKey::FromSeed(std::string(32, 'k'));
  audit::RecoveryReport report;
  const auto log = audit::OpenLog({.directory = folder.path() + "/log",
                                   .kept_head = folder.path() + "/kept-head",
                                   .origin = "bench.example/log"},
                                  *files, *clock, *key, &report);
  MustBeOk(log.status());
  const audit::SealedRecord record{std::string(320, 'e'), std::string(192, 'd')};
  const int64_t at_once = state.range(0);
  Mutex mutex;
  Condition changed;
  int64_t waiting = 0;
  for (auto _ : state) {
    waiting = at_once;
    for (int64_t i = 0; i < at_once; ++i) {
      (*log)->Append(record, [&](absl::StatusOr<v1::Receipt> receipt) {
        MustBeOk(receipt.status());
        MutexLock lock(mutex);
        if (--waiting == 0) changed.NotifyAll();
      });
    }
    MutexLock lock(mutex);
    while (waiting > 0) changed.Wait(mutex);
  }
  state.SetItemsProcessed(state.iterations() * at_once);
  MustBeOk((*log)->Close());
}
BENCHMARK(AppendRecords)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();

}  // namespace
}  // namespace sluice::bench
