#include "gateway/exchange/usage_history.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

Micros TimeOf(const v1::AuditEnvelope& envelope) {
  return envelope.time().seconds() * kSecond + envelope.time().nanos() / 1000;
}

// What a request id names.
bool IsAccess(const v1::AuditEnvelope& envelope) {
  switch (envelope.kind()) {
    case v1::RECORD_KIND_RELEASED:
    case v1::RECORD_KIND_OPENED:
    case v1::RECORD_KIND_MATCHED:
    case v1::RECORD_KIND_COUNTED:
      return true;
    default:
      return false;
  }
}

// A count is a call, and no rows.
int64_t RowsOf(const v1::AuditEnvelope& envelope) {
  return envelope.kind() == v1::RECORD_KIND_COUNTED ? 0 : envelope.count();
}

}  // namespace

absl::Status UsageHistory::Restore(audit::Log& log, const policy::Snapshot& snapshot, Micros now,
                                   QuotaLedger& quotas, RequestIds& request_ids) {
  Load();
  if (next_ > log.size()) {  // of another log, or of a longer one that was set aside
    next_ = 0;
    hours_.clear();
    open_streams_.clear();
    for (const auto& [grant, use] : counted_.Uses()) counted_.Restore(grant, QuotaUse());
  }
  // Request ids of the last day may lie before what the file counts.
  uint64_t begin = next_;
  for (const Hour& hour : hours_) {
    if (hour.time + kHour > now - kDay) {
      begin = std::min(begin, hour.index);
      break;
    }
  }
  absl::Status parsed;
  SLUICE_RETURN_IF_ERROR(log.Read(begin, [&](const audit::Log::Entry& entry) {
    v1::AuditEnvelope envelope;
    if (!envelope.ParseFromString(entry.record.envelope)) {
      parsed = absl::DataLossError("an audit record does not parse");
      return false;
    }
    if (entry.index >= next_) parsed = Take(log, envelope, entry.index, snapshot);
    if (!parsed.ok()) return false;
    if (IsAccess(envelope) && !envelope.request_id_digest().empty() &&
        TimeOf(envelope) > now - kDay) {
      request_ids.Restore(envelope.request_id_digest(), envelope.request_digest(),
                          static_cast<int64_t>(entry.index), envelope.repeats(), envelope.count(),
                          TimeOf(envelope));
    }
    return true;
  }));
  SLUICE_RETURN_IF_ERROR(parsed);
  for (const auto& [grant, use] : counted_.Uses()) quotas.Restore(grant, use);
  return absl::OkStatus();
}

absl::Status UsageHistory::Save(audit::Log& log, const policy::Snapshot& snapshot) {
  absl::Status parsed;
  SLUICE_RETURN_IF_ERROR(log.Read(next_, [&](const audit::Log::Entry& entry) {
    v1::AuditEnvelope envelope;
    if (!envelope.ParseFromString(entry.record.envelope)) {
      parsed = absl::DataLossError("an audit record does not parse");
      return false;
    }
    parsed = Take(log, envelope, entry.index, snapshot);
    return parsed.ok();
  }));
  SLUICE_RETURN_IF_ERROR(parsed);
  nlohmann::json json;
  json["format"] = "sluice-usage/v2";
  json["counted_to"] = next_;
  json["hours"] = nlohmann::json::array();
  for (const Hour& hour : hours_) json["hours"].push_back({hour.time, hour.index});
  json["grants"] = nlohmann::json::object();
  for (const auto& [grant, use] : counted_.Uses())
    json["grants"][grant] = {use.minute,     use.calls,      use.day,
                             use.rows_today, use.rows_total, use.misses_today};
  json["streams"] = nlohmann::json::array();
  for (const auto& [opened, latest] : open_streams_) json["streams"].push_back({opened, latest});
  return files_.WriteAtomically(file_, json.dump());
}

void UsageHistory::Load() {
  const auto text = files_.ReadAll(file_);
  if (!text.ok()) return;
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  try {
    if (json.at("format") != "sluice-usage/v2") return;
    std::map<std::string, QuotaUse> uses;
    for (const auto& [grant, use] : json.at("grants").items()) {
      uses[grant] = {use.at(0).get<int64_t>(), use.at(1).get<int64_t>(), use.at(2).get<int64_t>(),
                     use.at(3).get<int64_t>(), use.at(4).get<int64_t>(), use.at(5).get<int64_t>()};
    }
    std::deque<Hour> hours;
    for (const auto& hour : json.at("hours"))
      hours.push_back({hour.at(0).get<Micros>(), hour.at(1).get<uint64_t>()});
    std::map<uint64_t, uint64_t> streams;
    for (const auto& stream : json.at("streams"))
      streams[stream.at(0).get<uint64_t>()] = stream.at(1).get<uint64_t>();
    next_ = json.at("counted_to").get<uint64_t>();
    open_streams_ = std::move(streams);
    hours_ = std::move(hours);
    for (const auto& [grant, use] : uses) counted_.Restore(grant, use);
  } catch (const nlohmann::json::exception&) {
    next_ = 0;  // counted anew from the log
  }
}

absl::Status UsageHistory::Take(audit::Log& log, const v1::AuditEnvelope& envelope, uint64_t index,
                                const policy::Snapshot& snapshot) {
  next_ = index + 1;
  const Micros time = TimeOf(envelope);
  if (hours_.empty() || time >= hours_.back().time + kHour) hours_.push_back({time, index});
  while (!hours_.empty() && hours_.front().time < time - kDay - kHour) hours_.pop_front();
  TakeStream(envelope, index, snapshot);
  const auto grant = snapshot.grants.find(envelope.grant());
  const bool stream = envelope.kind() == v1::RECORD_KIND_OPENED;
  if (!IsAccess(envelope) || stream || grant == snapshot.grants.end()) return absl::OkStatus();
  if (envelope.repeats() < 0) {
    counted_.Count(grant->second->definition, RowsOf(envelope), time);
    counted_.CountMisses(grant->second->definition, envelope.match_misses(), time);
    return absl::OkStatus();
  }
  SLUICE_ASSIGN_OR_RETURN(const audit::Log::Entry entry,
                          log.ReadOne(static_cast<uint64_t>(envelope.repeats())));
  v1::AuditEnvelope first;
  if (!first.ParseFromString(entry.record.envelope))
    return absl::DataLossError("an audit record does not parse");
  counted_.CountMore(grant->second->definition,
                     std::max<int64_t>(0, RowsOf(envelope) - RowsOf(first)), time);
  return absl::OkStatus();
}

// A stream counts as a call when it is opened, and with its rows when it has ended.
void UsageHistory::TakeStream(const v1::AuditEnvelope& envelope, uint64_t index,
                              const policy::Snapshot& snapshot) {
  const auto grant = snapshot.grants.find(envelope.grant());
  const bool known = grant != snapshot.grants.end();
  switch (envelope.kind()) {
    case v1::RECORD_KIND_OPENED:
      open_streams_[index] = index;
      if (known) counted_.Count(grant->second->definition, 0, TimeOf(envelope));
      return;
    case v1::RECORD_KIND_PROGRESS:
      if (const auto open = open_streams_.find(envelope.opened()); open != open_streams_.end())
        open->second = index;
      return;
    case v1::RECORD_KIND_CLOSED:
    case v1::RECORD_KIND_ABANDONED:
      open_streams_.erase(envelope.opened());
      if (known) counted_.CountMore(grant->second->definition, envelope.count(), TimeOf(envelope));
      return;
    default:
      return;
  }
}

}  // namespace sluice::exchange
