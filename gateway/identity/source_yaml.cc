#include "gateway/identity/source_yaml.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/identity/definitions.h"

namespace sluice::identity {
namespace {

constexpr std::array<std::string_view, 7> kOwnKeys = {"source",  "owner",  "kind",     "limits",
                                                      "breaker", "closed", "time_zone"};

bool IsOwn(std::string_view key) {
  for (const auto own : kOwnKeys)
    if (own == key) return true;
  return false;
}

void ReadLimits(YamlMap root, v1::SourceLimits& limits) {
  YamlMap map = root.Optional("limits").AsMap();
  limits.set_connections(
      static_cast<int32_t>(map.Optional("connections").AsInt(kDefaultConnections, 1, 64)));
  limits.set_queue(static_cast<int32_t>(map.Optional("queue").AsInt(kDefaultQueue, 1, 10'000)));
  limits.set_statement_ms(
      map.Optional("statement")
          .AsDuration(kDefaultStatementMs * kMillisecond, 100 * kMillisecond, 10 * kMinute) /
      kMillisecond);
  map.RefuseOthers();
  YamlMap breaker = root.Optional("breaker").AsMap();
  limits.set_breaker_failures(
      static_cast<int32_t>(breaker.Optional("open_after").AsInt(kDefaultBreakerFailures, 1, 1000)));
  limits.set_breaker_open_ms(breaker.Optional("try_again")
                                 .AsDuration(kDefaultBreakerOpenMs * kMillisecond, kSecond, kHour) /
                             kMillisecond);
  breaker.RefuseOthers();
}

// Where a violation's path stands in the file.
YamlNode NodeOf(YamlMap root, const std::string& path) {
  const std::vector<YamlNode> spans = root.Optional("closed").AsList();
  for (size_t i = 0; i < spans.size(); ++i)
    if (path == absl::StrCat("closed[", i, "]")) return spans[i];
  return root.Optional(path);
}

// Notes what the rules and the kind say against it, where the file itself is sound.
void CheckSource(const v1::Source& source, const YamlDocument& document, YamlMap root,
                 const SourceCheck& check) {
  v1::Source prepared = source;
  absl::Status status = PrepareSource(prepared);
  if (status.ok() && check) status = check(prepared);
  const auto request = BadRequestOf(status);
  if (status.ok()) return;
  if (!request || request->field_violations().empty())
    return root.Optional("kind").Fail(std::string(status.message()));
  for (const auto& violation : request->field_violations()) {
    std::string key = violation.field();
    if (key.starts_with("settings.")) key = key.substr(sizeof("settings.") - 1);
    const auto& names = SourceYamlNames();
    if (const auto name = names.find(key); name != names.end()) key = name->second;
    const YamlNode node = NodeOf(root, key);
    if (node.present()) {
      node.Fail(violation.description());
    } else {
      document.root().Fail(absl::StrCat(key, ": ", violation.description()));
    }
  }
}

}  // namespace

const YamlNames& SourceYamlNames() {
  static const auto* const names = new YamlNames{{"id", "source"},
                                                 {"owner_agency", "owner"},
                                                 {"settings.", ""},
                                                 {"limits.statement_ms", "limits.statement"},
                                                 {"limits.breaker_failures", "breaker.open_after"},
                                                 {"limits.breaker_open_ms", "breaker.try_again"}};
  return *names;
}

absl::StatusOr<SourceFile> ParseSourceYaml(std::string_view text, std::string_view file,
                                           const SourceCheck& check) {
  SourceFile result{{}, YamlDocument::Parse(text, file)};
  YamlMap root = result.document.root().AsMap();
  v1::Source& source = result.source;
  source.set_id(root.Required("source").AsString());
  source.set_owner_agency(root.Required("owner").AsString());
  source.set_kind(root.Required("kind").AsString());
  ReadLimits(root, *source.mutable_limits());
  for (const YamlNode& span : root.Optional("closed").AsList()) source.add_closed(span.AsString());
  source.set_time_zone(root.Optional("time_zone").AsString());
  for (const auto& key : root.keys())
    if (!IsOwn(key)) (*source.mutable_settings())[key] = root.Optional(key).AsString();
  if (result.document.errors().empty()) CheckSource(source, result.document, root, check);
  SLUICE_RETURN_IF_ERROR(YamlStatus(result.document));
  return result;
}

}  // namespace sluice::identity
