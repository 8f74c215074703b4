// What the log's tests share: a log on a fake file system, records, and appends that wait.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/audit/log.h"
#include "gateway/audit/log_verifier.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"

namespace sluice::audit {

const SigningKey& TestLogKey();
VerifierKey TestLogVerifier();
// Small segments, a kept head, heads only when a test asks for one (AskForHead).
LogOptions TestLogOptions();

// A record whose envelope names its detail.
SealedRecord MakeRecord(v1::RecordKind kind, const std::string& text, size_t detail_bytes = 0);

// Appends all in one go, waits for every callback. One result a record.
std::vector<absl::StatusOr<v1::Receipt>> AppendAll(Log& log, std::vector<SealedRecord> records);
absl::StatusOr<v1::Receipt> AppendOne(Log& log, SealedRecord record);

// A head over all that is synced, with the interval passed.
absl::StatusOr<std::string> AskForHead(Log& log, FakeClock& clock);

// Verifies the folder; the message of what is broken, empty where it holds.
std::string WhatIsBroken(FileSystem& files, const LogOptions& options, LogBroken* broken = nullptr);

}  // namespace sluice::audit
