// sluiced with one more kind of adapter, which serves rows from memory: for bench/compare alone.
#include "bench/memory_adapter.h"
#include "gateway/sluiced.h"

int main(int argc, char** argv) {
  std::vector<sluice::adapters::Kind> kinds = sluice::adapters::Kinds();
  kinds.push_back(sluice::bench::MemoryKind());
  return sluice::RunSluiced(argc, argv, kinds);
}
