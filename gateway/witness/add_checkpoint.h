// What a log hands to a witness (C2SP tlog-witness v1, add-checkpoint): the size that the witness
// cosigned last, a proof that the new head continues it, and the new head. Pure functions.
//
//   old 20852014
//   PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
//   jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
//
//   gw1.gov.example/log
//   20852163
//   …
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/crypto.h"

namespace sluice::witness {

// The longest proof that the protocol knows.
inline constexpr size_t kMostProofLines = 63;
inline constexpr char kSizeType[] = "text/x.tlog.size";

struct AddCheckpoint {
  uint64_t old_size = 0;
  std::vector<Hash> proof;
  std::string checkpoint;  // a signed note
};

std::string FormatAddCheckpoint(const AddCheckpoint& request);
// INVALID_ARGUMENT in words. The checkpoint is not looked at.
absl::StatusOr<AddCheckpoint> ParseAddCheckpoint(std::string_view body);

// Where a witness shows the newest head of that log that it cosigned, behind its URL:
// "/<hex of SHA-256 of the origin>/checkpoint".
std::string CheckpointPath(std::string_view origin);

}  // namespace sluice::witness
