// The file of a profile, and the words in it.
#include "gateway/sharing/clock_profile.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "certs/spiffe.h"
#include "gateway/base/error.h"
#include "gateway/base/yaml.h"
#include "gateway/identity/yaml_file.h"
#include "gateway/sharing/yaml_parts.h"

namespace sluice::sharing {
namespace {

constexpr int kMostClockDays = 250;  // about a year

// "ACCESS_ACTION_ASK_EXTENSION" without its prefix, in lower case.
std::string LowerWord(const std::string& name, size_t prefix) {
  return name.size() <= prefix ? "" : absl::AsciiStrToLower(name.substr(prefix));
}

bool IsClockName(std::string_view text) {
  if (text.empty() || text.size() > 63 || !absl::ascii_islower(text[0])) return false;
  for (const char c : text)
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '_') return false;
  return true;
}

class ProfileReader {
 public:
  explicit ProfileReader(ClockProfile& profile) : profile_(profile) {}

  void Read(YamlMap root) {
    const YamlNode name = root.Required("profile");
    profile_.name = name.AsString();
    if (name.present() && !certs::IsId(profile_.name)) name.Fail(kIdRule);
    identity::ReadText(root.Optional("title").AsMap());
    law_ = Needed(root.Required("law"), "must name the law");
    const YamlNode calendar = root.Required("calendar");
    profile_.calendar = calendar.AsString();
    profile_.calendar_line = calendar.line();
    for (const YamlNode& node :
         ReadList(root.Optional("agencies"), "at least one agency; left out, all")) {
      const std::string agency = node.AsString();
      if (!certs::IsId(agency)) node.Fail(kIdRule);
      profile_.agencies.insert(agency);
    }
    const YamlNode clocks = root.Required("clocks");
    if (clocks.present() && clocks.AsList().empty()) clocks.Fail("must have at least one clock");
    for (const YamlNode& node : clocks.AsList()) ReadClock(node.AsMap());
    root.RefuseOthers();
  }

 private:
  static std::string Needed(const YamlNode& node, std::string_view expected) {
    std::string text = node.AsString();
    if (node.present() && text.empty()) node.Fail(expected);
    return text;
  }

  void ReadClock(YamlMap map) {
    ClockRule rule;
    const YamlNode name = map.Required("clock");
    rule.name = name.AsString();
    if (name.present() && !IsClockName(rule.name)) name.Fail("1 to 63 of a-z, 0-9 and _");
    for (const ClockRule& other : profile_.clocks)
      if (other.name == rule.name) name.Fail("stands twice");
    rule.law = Needed(map.Optional("law"), "must name the law; left out, the profile's");
    if (rule.law.empty()) rule.law = law_;
    rule.article = Needed(map.Required("article"), "must name the article");
    rule.condition = static_cast<ClockRule::For>(
        identity::ReadEnum(map.Optional("for"),
                           {{"conditional", static_cast<int>(ClockRule::For::kConditional)},
                            {"unconditional", static_cast<int>(ClockRule::For::kUnconditional)}}));
    rule.office = ReadOffice(map.Required("office"));
    ReadEvents(map.Required("from"), rule.from);
    ReadEvents(map.Required("to"), rule.to);
    if (const YamlNode still = map.Optional("stands_still"); still.present()) {
      YamlMap parts = still.AsMap();
      ReadEvents(parts.Required("from"), rule.still_from);
      ReadEvents(parts.Required("to"), rule.still_to);
      parts.RefuseOthers();
    }
    rule.working_days = static_cast<int>(map.Required("working_days").AsInt(1, 1, kMostClockDays));
    if (const YamlNode extension = map.Optional("extension"); extension.present()) {
      YamlMap parts = extension.AsMap();
      ReadEvents(parts.Required("by"), rule.extended_by);
      rule.extension = static_cast<int>(parts.Required("working_days").AsInt(1, 1, kMostClockDays));
      parts.RefuseOthers();
    }
    rule.warn = static_cast<int>(map.Required("warn").AsInt(0, 0, kMostClockDays));
    rule.escalates_to = ReadOffice(map.Required("escalates_to"));
    map.RefuseOthers();
    profile_.clocks.push_back(std::move(rule));
  }

  static v1::SharingOffice ReadOffice(const YamlNode& node) {
    const std::string word = node.AsString();
    const v1::SharingOffice office = OfficeFromWord(word);
    if (node.present() && office == v1::SHARING_OFFICE_UNSPECIFIED)
      node.Fail("one of requester, requester_office, owner_office, owner, authority");
    return office;
  }

  static void ReadEvents(const YamlNode& list, std::set<std::string>& events) {
    for (const YamlNode& node : ReadList(list, "at least one event")) {
      const std::string word = node.AsString();
      if (!ClockEventWords().contains(word))
        node.Fail(absl::StrCat("one of ", absl::StrJoin(ClockEventWords(), ", ")));
      events.insert(word);
    }
  }

  ClockProfile& profile_;
  std::string law_;
};

}  // namespace

absl::StatusOr<ClockProfile> ClockProfile::Parse(std::string_view text, std::string_view file) {
  const YamlDocument document = YamlDocument::Parse(text, file);
  ClockProfile profile;
  profile.file = std::string(file);
  ProfileReader(profile).Read(document.root().AsMap());
  SLUICE_RETURN_IF_ERROR(identity::YamlStatus(document));
  return profile;
}

const std::set<std::string>& ClockEventWords() {
  static const auto* const words = [] {
    // What the catalogue and corrections tell.
    auto* all = new std::set<std::string>{
        "duty_change",        "duty_change_withdraw", "consent_catalogue_extension",
        "catalogue_update",   "catalogue_publish",    "catalogue_return",
        "update_return",      "correction_file",      "correction_answer",
        "correction_withdraw"};
    const auto* type = v1::AccessAction_descriptor();
    for (int i = 1; i < type->value_count(); ++i)
      all->insert(ActionWord(static_cast<v1::AccessAction>(type->value(i)->number())));
    return all;
  }();
  return *words;
}

v1::SharingOffice OfficeFromWord(std::string_view word) {
  const auto* type = v1::SharingOffice_descriptor();
  for (int i = 1; i < type->value_count(); ++i) {
    const auto office = static_cast<v1::SharingOffice>(type->value(i)->number());
    if (OfficeWord(office) == word) return office;
  }
  return v1::SHARING_OFFICE_UNSPECIFIED;
}

std::string OfficeWord(v1::SharingOffice office) {
  return LowerWord(v1::SharingOffice_Name(office), sizeof("SHARING_OFFICE_") - 1);
}

std::string ActionWord(v1::AccessAction action) {
  return LowerWord(v1::AccessAction_Name(action), sizeof("ACCESS_ACTION_") - 1);
}

std::string AccessStateWord(v1::AccessRequestState state) {
  return LowerWord(v1::AccessRequestState_Name(state), sizeof("ACCESS_REQUEST_STATE_") - 1);
}

}  // namespace sluice::sharing
