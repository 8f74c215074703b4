#include "gateway/identity/definitions.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "certs/spiffe.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/identity/closed_hours.h"
#include "gateway/identity/registration.h"

namespace sluice::identity {
namespace {

constexpr size_t kLongestTitle = 500;  // bytes
constexpr int kMostRunningCalls = 10'000;
constexpr char kIdRule[] = "1 to 63 of a-z, 0-9 and inner hyphens";

bool HasControlCharacter(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  return false;
}

void CheckTitle(const v1::Text& title, Mistakes& mistakes) {
  for (const auto& [path, text] : {std::pair{"title.en", title.en()}, {"title.zh", title.zh()}}) {
    if (text.size() > kLongestTitle)
      mistakes.Add(path, absl::StrCat("at most ", kLongestTitle, " bytes"));
    if (HasControlCharacter(text)) mistakes.Add(path, "no control characters");
  }
}

void CheckNewState(v1::RegistrationState state, Mistakes& mistakes) {
  if (state != v1::REGISTRATION_STATE_UNSPECIFIED && state != v1::REGISTRATION_STATE_ACTIVE)
    mistakes.Add("state", "what is new is active; suspend it afterwards");
}

void CheckRange(std::string_view path, int64_t value, int64_t least, int64_t most,
                Mistakes& mistakes) {
  if (value < least || value > most) mistakes.Add(path, absl::StrCat(least, " to ", most));
}

}  // namespace

void Mistakes::Add(std::string_view path, std::string_view mistake) {
  mistakes_.emplace_back(path, mistake);
}

void Mistakes::AddAll(std::string_view path, const absl::Status& status) {
  const auto request = BadRequestOf(status);
  if (!request || request->field_violations().empty()) {
    mistakes_.emplace_back(path, std::string(status.message()));
    return;
  }
  for (const auto& violation : request->field_violations())
    mistakes_.emplace_back(
        path.empty() ? violation.field() : absl::StrCat(View(path), ".", violation.field()),
        violation.description());
}

absl::Status Mistakes::ToStatus() const {
  if (mistakes_.empty()) return absl::OkStatus();
  std::string sentence = absl::StrCat(mistakes_[0].first, ": ", mistakes_[0].second);
  if (mistakes_.size() > 1) absl::StrAppend(&sentence, " (and ", mistakes_.size() - 1, " more)");
  absl::Status status = Error(v1::REASON_DEFINITION_INVALID, sentence);
  for (const auto& [path, mistake] : mistakes_) AddFieldViolation(status, path, mistake);
  return status;
}

absl::Status PrepareAgency(v1::Agency& agency) {
  Mistakes mistakes;
  if (!certs::IsId(agency.id())) mistakes.Add("id", kIdRule);
  CheckTitle(agency.title(), mistakes);
  CheckNewState(agency.state(), mistakes);
  agency.set_state(v1::REGISTRATION_STATE_ACTIVE);
  agency.clear_etag();
  return mistakes.ToStatus();
}

absl::Status PrepareSystem(v1::ClientSystem& system) {
  Mistakes mistakes;
  if (!SplitName(system.name()))
    mistakes.Add("name", absl::StrCat("agency/system, each ", kIdRule));
  CheckTitle(system.title(), mistakes);
  CheckNewState(system.state(), mistakes);
  CheckRange("max_running_calls", system.max_running_calls(), 0, kMostRunningCalls, mistakes);
  system.set_state(v1::REGISTRATION_STATE_ACTIVE);
  system.clear_state_reason();
  system.clear_etag();
  return mistakes.ToStatus();
}

absl::Status PreparePerson(v1::Person& person) {
  Mistakes mistakes;
  if (!SplitName(person.name()))
    mistakes.Add("name", absl::StrCat("agency/person, each ", kIdRule));
  CheckTitle(person.title(), mistakes);
  CheckNewState(person.state(), mistakes);
  person.set_state(v1::REGISTRATION_STATE_ACTIVE);
  person.clear_state_reason();
  person.clear_etag();
  return mistakes.ToStatus();
}

void CheckClosed(const v1::Source& source, Mistakes& mistakes) {
  if (source.closed_size() > kMostClosedSpans)
    mistakes.Add("closed", absl::StrCat("at most ", kMostClosedSpans));
  const auto zone = FindZone(source.time_zone());
  if (!zone.ok()) mistakes.Add("time_zone", std::string(zone.status().message()));
  if (!source.time_zone().empty() && source.closed().empty())
    mistakes.Add("time_zone", "only with closed");
  bool sound = zone.ok();
  for (int i = 0; i < source.closed_size(); ++i) {
    const auto span = ClosedHours::Parse({source.closed(i)}, absl::UTCTimeZone());
    sound = sound && span.ok();
    if (!span.ok())
      mistakes.Add(absl::StrCat("closed[", i, "]"), std::string(span.status().message()));
  }
  if (!sound) return;
  const auto hours = ClosedHours::Parse({source.closed().begin(), source.closed().end()}, *zone);
  // Any moment will do: spans come again each week.
  if (const auto until = hours->ClosedUntil(0); until && *until > 8 * kDay)
    mistakes.Add("closed", "the source would never be open");
}

absl::Status PrepareSource(v1::Source& source) {
  Mistakes mistakes;
  if (!certs::IsId(source.id())) mistakes.Add("id", kIdRule);
  if (!certs::IsId(source.owner_agency())) mistakes.Add("owner_agency", kIdRule);
  if (source.kind().empty()) mistakes.Add("kind", "needed");
  v1::SourceLimits& limits = *source.mutable_limits();
  if (limits.connections() == 0) limits.set_connections(kDefaultConnections);
  if (limits.queue() == 0) limits.set_queue(kDefaultQueue);
  if (limits.statement_ms() == 0) limits.set_statement_ms(kDefaultStatementMs);
  if (limits.breaker_failures() == 0) limits.set_breaker_failures(kDefaultBreakerFailures);
  if (limits.breaker_open_ms() == 0) limits.set_breaker_open_ms(kDefaultBreakerOpenMs);
  CheckRange("limits.connections", limits.connections(), 1, 64, mistakes);
  CheckRange("limits.queue", limits.queue(), 1, 10'000, mistakes);
  CheckRange("limits.statement_ms", limits.statement_ms(), 100, 600'000, mistakes);
  CheckRange("limits.breaker_failures", limits.breaker_failures(), 1, 1000, mistakes);
  CheckRange("limits.breaker_open_ms", limits.breaker_open_ms(), 1000, 3'600'000, mistakes);
  CheckClosed(source, mistakes);
  source.clear_etag();
  return mistakes.ToStatus();
}

absl::Status CheckPurposes(const std::vector<v1::Purpose>& purposes) {
  Mistakes mistakes;
  if (purposes.size() > kMostPurposes)
    mistakes.Add("purposes", absl::StrCat("at most ", kMostPurposes));
  std::set<std::string> codes;
  for (size_t i = 0; i < purposes.size(); ++i) {
    const std::string path = absl::StrCat("purposes[", i, "]");
    if (!certs::IsId(purposes[i].code())) mistakes.Add(path + ".code", kIdRule);
    if (!codes.insert(purposes[i].code()).second) mistakes.Add(path + ".code", "listed twice");
    Mistakes title;
    CheckTitle(purposes[i].title(), title);
    if (!title.none()) mistakes.AddAll(path, title.ToStatus());
  }
  return mistakes.ToStatus();
}

absl::StatusOr<std::string> AnotherWithRole(store::Reader& reader, v1::Role role,
                                            std::string_view except) {
  SLUICE_ASSIGN_OR_RETURN(const auto persons, LoadPersons(reader));
  for (const auto& person : persons) {
    if (person.name() == except || person.state() != v1::REGISTRATION_STATE_ACTIVE) continue;
    for (const int held : person.roles())
      if (held == role) return person.name();
  }
  return std::string();
}

}  // namespace sluice::identity
