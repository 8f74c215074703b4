// The file of a calendar.
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "certs/spiffe.h"
#include "gateway/base/error.h"
#include "gateway/base/yaml.h"
#include "gateway/identity/closed_hours.h"
#include "gateway/identity/yaml_file.h"
#include "gateway/sharing/working_days.h"
#include "gateway/sharing/yaml_parts.h"

namespace sluice::sharing {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays = {"Mon", "Tue", "Wed", "Thu",
                                                       "Fri", "Sat", "Sun"};
constexpr std::string_view kDayForm = "a day as MM-DD, or several as MM-DD..MM-DD";

// "02-12" of that year.
std::optional<absl::CivilDay> ParseMonthDay(std::string_view text, int year) {
  if (text.size() != 5 || text[2] != '-') return std::nullopt;
  for (const size_t i : {0, 1, 3, 4})
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) return std::nullopt;
  const int month = (text[0] - '0') * 10 + text[1] - '0';
  const int number = (text[3] - '0') * 10 + text[4] - '0';
  const absl::CivilDay day(year, month, number);
  // Others are normalised: 02-30 would be a day of March.
  if (day.month() != month || day.day() != number || day.year() != year) return std::nullopt;
  return day;
}

struct DaySpan {
  absl::CivilDay first, last;
};
std::optional<DaySpan> ParseDaySpan(std::string_view text, int year) {
  const size_t dots = text.find("..");
  const auto first = ParseMonthDay(text.substr(0, dots), year);
  const auto last =
      dots == std::string_view::npos ? first : ParseMonthDay(text.substr(dots + 2), year);
  if (!first || !last || *last < *first) return std::nullopt;
  return DaySpan{*first, *last};
}

std::string DayText(absl::CivilDay day) {
  return std::string(absl::FormatCivilTime(day)).substr(5);
}

}  // namespace

class WorkingDays::FileReader {
 public:
  explicit FileReader(WorkingDays& days) : days_(days) {}

  void Read(YamlMap root) {
    const YamlNode name = root.Required("calendar");
    days_.name_ = name.AsString();
    if (name.present() && !certs::IsId(days_.name_)) name.Fail(kIdRule);
    identity::ReadText(root.Optional("title").AsMap());
    ReadZone(root.Required("time_zone"));
    ReadWeekend(root.Required("weekend"));
    const YamlNode years = root.Required("years");
    if (years.present() && years.AsList().empty()) years.Fail("must have at least one year");
    for (const YamlNode& node : years.AsList()) ReadYear(node.AsMap());
    root.RefuseOthers();
  }

 private:
  void ReadZone(const YamlNode& node) {
    const std::string text = node.AsString();
    if (!node.present()) return;
    const auto zone = identity::FindZone(text);
    if (text.empty() || !zone.ok())
      return node.Fail("must be a time zone that this machine knows, such as Asia/Shanghai");
    days_.zone_ = *zone;
  }

  void ReadWeekend(const YamlNode& node) {
    for (const YamlNode& item : node.AsList()) {
      const std::string text = item.AsString();
      size_t at = 0;
      while (at < kWeekdays.size() && kWeekdays[at] != text) ++at;
      if (at == kWeekdays.size())
        item.Fail("must be one of Mon, Tue, Wed, Thu, Fri, Sat, Sun");
      else
        days_.weekend_[at] = true;
    }
    size_t off = 0;
    for (const bool day : days_.weekend_) off += day ? 1 : 0;
    if (off == days_.weekend_.size()) node.Fail("must leave a day that is worked");
  }

  void ReadYear(YamlMap map) {
    const YamlNode number = map.Required("year");
    const auto year = static_cast<int>(number.AsInt(0, 1900, 9999));
    if (number.present() && days_.years_.contains(year)) number.Fail("stands twice");
    // Where it is published: whoever doubts a day looks there.
    const YamlNode source = map.Required("source");
    if (source.present() && source.AsString().empty())
      source.Fail("must say where these days are published");
    Year days;
    ReadDays(map.Required("off"), year, false, days.off);
    ReadDays(map.Required("worked"), year, true, days.worked);
    map.RefuseOthers();
    days_.years_[year] = std::move(days);
  }

  // `weekend`: what each of the days has to be, or listing it would change nothing.
  void ReadDays(const YamlNode& list, int year, bool weekend, std::set<absl::CivilDay>& days) {
    for (const YamlNode& node : list.AsList()) {
      const auto span = ParseDaySpan(node.AsString(), year);
      if (!span) {
        node.Fail(kDayForm);
        continue;
      }
      for (absl::CivilDay day = span->first; day <= span->last; ++day) {
        const auto weekday = static_cast<size_t>(absl::GetWeekday(day));
        if (days_.weekend_[weekday] != weekend)
          node.Fail(absl::StrCat(DayText(day), " is a ", std::string(kWeekdays[weekday]),
                                 weekend ? ", which is worked anyway" : ", which is off anyway"));
        else if (!days.insert(day).second)
          node.Fail(absl::StrCat(DayText(day), " is listed twice"));
      }
    }
  }

  WorkingDays& days_;
};

absl::StatusOr<WorkingDays> WorkingDays::Parse(std::string_view text, std::string_view file) {
  const YamlDocument document = YamlDocument::Parse(text, file);
  WorkingDays days;
  days.file_ = std::string(file);
  FileReader(days).Read(document.root().AsMap());
  SLUICE_RETURN_IF_ERROR(identity::YamlStatus(document));
  return days;
}

}  // namespace sluice::sharing
