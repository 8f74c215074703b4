// The page of an evidence pack: what it proves, what it does not, and how to check it, in Chinese
// and in English, with the records as a table. One file without scripts or references, for screen
// and paper. The same facts give the same bytes; a change of the page is a new number of the format
// (docs/formats/pack.md), as packs are held against it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/v1/audit_record.pb.h"

namespace sluice::cli {

struct PackSummary {
  std::string origin;
  int64_t size = 0;
  std::string root;   // base64
  std::string key;    // the verifier key
  std::string paper;  // its form for paper
  std::vector<std::string> other_signers;
  std::string made_by;
  std::string asked;  // as JSON
  int64_t searched_to = 0, erased = 0;
  bool without_details = false;
  int64_t reading = -1;  // index of its record
  std::string reader;    // who asked
  std::string read_at;   // when, UTC
  int64_t records = 0;   // without that of the reading
  int64_t details = 0;   // that are in the pack
};

// One row of the table. `detail` is null where it is not in the pack.
std::string PackRow(int64_t index, const v1::AuditEnvelope& envelope,
                    const v1::AuditDetail* detail);
std::string PackPage(const PackSummary& summary, const std::string& rows);

}  // namespace sluice::cli
