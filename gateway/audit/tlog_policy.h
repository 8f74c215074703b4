// Who must have signed a head before it counts (C2SP tlog-policy): the logs that are meant, the
// witnesses that are known, and which of them are enough.
//
//   log      gw1.gov.example/log+ef38886f+AddamAGC…
//   witness  archive  w1.gov.example/archive+7e6f4aaa+BNda…  https://w1.gov.example:8451
//   witness  audit    w2.gov.example/audit+1f0c9d77+BHq1…    https://w2.gov.example:8451
//   group    all-of-them  all  archive audit
//   quorum   all-of-them
//
// Words are parted by spaces or tabs; "#" begins a comment. Names are defined above where they are
// used. Pure functions.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/signed_note.h"

namespace sluice::audit {

struct TlogPolicy {
  struct Log {
    VerifierKey key;  // its name is the log's origin
    std::string url;  // may be empty, as that of a witness
  };
  struct Witness {
    std::string name;  // within this policy
    VerifierKey key;
    std::string url;  // what "/add-checkpoint" is behind
  };
  struct Group {
    std::string name;
    size_t needed = 0;                 // of the members; all of them, or 1 for "any"
    std::vector<std::string> members;  // witnesses and groups
  };

  std::vector<Log> logs;
  std::vector<Witness> witnesses;
  std::vector<Group> groups;
  std::string quorum;  // a witness or group; empty for "none"
};

// INVALID_ARGUMENT with all mistakes, "file:line: mistake" a line each. A mistake: a line of no
// known kind, a name that is defined twice or not above, a public key that stands there twice, a
// key of the wrong type, a group of which more are needed than it has, no quorum or two.
absl::StatusOr<TlogPolicy> ParseTlogPolicy(std::string_view text, const std::string& file);

// Whether witnesses of these names are enough.
bool IsQuorum(const TlogPolicy& policy, const std::set<std::string>& witnesses);

// What the signatures under a head amount to.
struct PolicyVerdict {
  Checkpoint checkpoint;
  std::vector<Cosignature> cosignatures;  // names are the policy's; one a witness, its newest
  bool quorum = false;
  // The time at or after which a quorum saw it, in seconds since 1970 UTC; 0 where there is no
  // quorum, or none is needed.
  uint64_t quorum_seconds = 0;
  std::vector<std::string> missing;  // witnesses that did not cosign
};
// INVALID_ARGUMENT where none of the logs signed it, its origin is none of theirs, or a signature
// of a log or witness that is known does not hold. That there is no quorum is no error.
absl::StatusOr<PolicyVerdict> Judge(std::string_view note, const TlogPolicy& policy);

}  // namespace sluice::audit
