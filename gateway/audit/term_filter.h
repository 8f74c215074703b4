// Which terms a run of the search index may have: a Bloom filter in lines of 64 bytes, of which a
// term sets six bits in one. A run that has not the term is known for it in one look at memory, 98
// times in 100 and more; one that has it is never missed.
//
//   4 bytes   CRC-32C of the rest, behind that of the run's number (8 bytes); both little-endian
//   then the lines
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::audit {

// Memory that all filters of an index may take together; 10 bits a term are 50 million terms. One
// thread at a time.
struct FilterRoom {
  size_t left = 64 << 20;
};

// Any thread, once nothing is added any more.
class TermFilter {
 public:
  // For so many terms; null where there is no room for it. `room` outlives it.
  static std::shared_ptr<TermFilter> Make(int64_t terms, FilterRoom& room);
  // DATA_LOSS where it is no whole filter of this run.
  static absl::StatusOr<std::shared_ptr<TermFilter>> Unpack(std::string_view bytes, int64_t run,
                                                            FilterRoom& room);
  ~TermFilter();
  TermFilter(const TermFilter&) = delete;
  TermFilter& operator=(const TermFilter&) = delete;

  void Add(int64_t term);
  bool MayHave(int64_t term) const;
  std::string Pack(int64_t run) const;

 private:
  TermFilter(size_t lines, FilterRoom& room);
  size_t LineOf(uint64_t hash) const;  // of its first word

  FilterRoom& room_;
  std::vector<uint64_t> words_;  // eight a line
};

}  // namespace sluice::audit
