#include "gateway/witness/logs_testing.h"

#include "absl/strings/str_cat.h"

namespace sluice::witness {

LogForWitness::LogForWitness(std::string origin, uint64_t fork)
    : key_(*audit::MakeSigningKey(origin, std::string(32, 'l'))), fork_(fork) {}

std::vector<Hash> LogForWitness::Leaves(uint64_t size) const {
  std::vector<Hash> leaves;
  for (uint64_t i = 0; i < size; ++i)
    leaves.push_back(audit::LeafHash(absl::StrCat(i >= fork_ ? "fork " : "", i)));
  return leaves;
}

audit::Checkpoint LogForWitness::Head(uint64_t size) const {
  return {.origin = key_.name, .size = size, .root = audit::RootOf(Leaves(size))};
}

std::string LogForWitness::Note(uint64_t size) const {
  return audit::SignNote(audit::FormatCheckpointBody(Head(size)), key_.name, key_.key);
}

std::vector<Hash> LogForWitness::Proof(uint64_t old_size, uint64_t size) const {
  if (old_size == 0) return {};
  return *audit::ConsistencyProof(
      old_size, size,
      [this](uint64_t begin, int level) -> absl::StatusOr<Hash> { return Subtree(begin, level); });
}

Hash LogForWitness::Subtree(uint64_t begin, int level) const {
  const std::vector<Hash> leaves = Leaves(begin + (uint64_t{1} << level));
  return audit::RootOf({leaves.begin() + static_cast<ptrdiff_t>(begin), leaves.end()});
}

std::string LogForWitness::Request(uint64_t old_size, uint64_t size) const {
  return FormatAddCheckpoint({old_size, Proof(old_size, size), Note(size)});
}

}  // namespace sluice::witness
