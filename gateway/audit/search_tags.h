// Search tags: what stands in a sealed detail and may be searched for, in its envelope, so that the
// answer to a search can be held against a copy of the log without opening anything
// (docs/formats/audit-record.md, "Search tags").
//
//   token = HMAC-SHA256(key of the detail, "sluice/search-token/v1\n" condition value)
//   tag   = the first 6 bytes of SHA-256("sluice/search-tag/v1\n" token detail_commitment)
//
// Who has no token learns nothing from tags, not even that two records are about the same: each
// record's differ. Whoever is given the token of a value finds all records of that key that have
// the value. Once the key is dropped nobody can make its tokens any more. Pure functions; any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/v1/audit.pb.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {

inline constexpr size_t kSearchTagBytes = 6;
// A record has a multiple of these, so that tags do not tell which claims were made.
inline constexpr size_t kSearchTagsTogether = 4;
// Of an envelope, which has 64 KiB for all.
inline constexpr size_t kMostSearchTags = 2048;

// What a record is tagged by. Points into the detail that it was made of, which outlives it.
class TaggedValues {
 public:
  // At least so many tags, where there is any, whatever the detail holds.
  TaggedValues(const v1::AuditDetail& detail, size_t least);
  // Bytes of tags that there will be.
  size_t bytes() const { return count_ * kSearchTagBytes; }
  // The detail has more subjects than there is room for tags: those are left out.
  bool subjects_left_out() const { return subjects_left_out_; }
  // `random`: bytes() of them, which fill up. Sorted, so that their order tells nothing.
  std::string Tags(std::string_view month_key, std::string_view commitment,
                   std::string_view random) const;

 private:
  std::vector<std::pair<v1::SearchCondition, std::string_view>> values_;
  size_t count_ = 0;
  bool subjects_left_out_ = false;
};

// 32 bytes. `value`: of a subject, its pseudonym.
std::string SearchToken(std::string_view month_key, v1::SearchCondition condition,
                        std::string_view value);
// Whether the record has the token's value. Where it has not, the answer is wrong once in 2^48
// tags.
bool HasSearchTag(const v1::AuditEnvelope& envelope, std::string_view token);

}  // namespace sluice::audit
