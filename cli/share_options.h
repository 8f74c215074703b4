// What a request for access and the terms of its approval have in common: which systems, which
// rows, how much, until when.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/times.h"
#include "gateway/base/clock.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

struct ShareOptions {
  std::vector<std::string> systems, fields, modes;
  std::string rows, from, until;
  std::optional<int64_t> calls_per_minute, rows_per_day, rows_total;

  bool has_quota() const { return calls_per_minute || rows_per_day || rows_total; }
  bool empty() const {
    return systems.empty() && fields.empty() && modes.empty() && rows.empty() && from.empty() &&
           until.empty() && !has_quota();
  }
};
void AddShareOptions(CLI::App& command, ShareOptions& options);

// "query", "read", "match", "count"; the options take no other word.
v1::Mode ModeFromWord(std::string_view word);

// The parts that are said, in an AccessRequest or a Grant; all but its fields. Of a quota that it
// has already, what is not said stays. UsageError for a time that is none.
template <class Message>
absl::Status FillShare(const ShareOptions& options, Micros now, const absl::TimeZone& zone,
                       Message& message) {
  if (!options.systems.empty())
    *message.mutable_systems() = {options.systems.begin(), options.systems.end()};
  if (!options.modes.empty()) message.clear_modes();
  for (const std::string& word : options.modes) message.add_modes(ModeFromWord(word));
  if (!options.rows.empty()) message.set_row_filter(options.rows);
  v1::Quota* quota = options.has_quota() ? message.mutable_quota() : nullptr;
  if (options.calls_per_minute) quota->set_calls_per_minute(*options.calls_per_minute);
  if (options.rows_per_day) quota->set_rows_per_day(*options.rows_per_day);
  if (options.rows_total) quota->set_rows_total(*options.rows_total);
  if (!options.from.empty()) {
    const auto from = ParseUntil(options.from, now, zone);
    if (!from.ok()) return from.status();
    *message.mutable_not_before() = ToTimestamp(*from);
  }
  if (!options.until.empty()) {
    const auto until = ParseUntil(options.until, now, zone);
    if (!until.ok()) return until.status();
    *message.mutable_expires() = ToTimestamp(*until);
  }
  return absl::OkStatus();
}

}  // namespace sluice::cli
