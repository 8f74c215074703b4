// Audit records in words.
#pragma once

#include <string>

#include "cli/failure.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::cli {

// "civil-affairs/relief", "gateway" for the gateway's own acts.
std::string ActorWords(const v1::Actor& actor);
// "released", "denied PURPOSE_NOT_GRANTED", "create grant 7q4m2k", …
std::string OutcomeWords(const v1::AuditEnvelope& envelope);
// Rows let go; a dash for records that let nothing go.
std::string CountWords(const v1::AuditEnvelope& envelope);
std::string KindWord(v1::RecordKind kind);
v1::RecordKind KindFromWord(std::string_view word);  // RECORD_KIND_UNSPECIFIED for another word
// What an envelope says, a line each, without what is empty. Times in UTC: proofs are.
FailureLines EnvelopeLines(const v1::AuditEnvelope& envelope);

}  // namespace sluice::cli
