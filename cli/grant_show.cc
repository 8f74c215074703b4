#include "cli/grant_show.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/times.h"
#include "cli/words.h"

namespace sluice::cli {
namespace {

constexpr size_t kLabelWidth = 10;

class Page {
 public:
  Page(const Session& session, const GrantPage& page)
      : session_(session), page_(page), grant_(page.grant) {}

  std::string Format() {
    Title();
    Add("Who", Who());
    Add("Asks", absl::StrCat(grant_.dataset(), Titled(page_.dataset.title())));
    Add("What for", Purposes());
    Add("By law", Law());
    Fields();
    Add("Rows", grant_.row_filter().empty() ? "all" : grant_.row_filter());
    Add("Calls", Calls());
    Add("Quota", Quota());
    Add("History", absl::StrCat("revision ", grant_.revision(), " by ", grant_.changed_by(), ", ",
                                Time(ToMicros(grant_.changed()))));
    Add("Use", absl::StrCat("sluice audit list --grant ", grant_.id()));
    return out_;
  }

 private:
  const absl::TimeZone& zone() const { return session_.environment.zone; }
  std::string Time(Micros time) const { return FormatTime(time, zone()); }
  std::string Titled(const v1::Text& text) const {
    const std::string title = TitleOf(text, session_.chinese());
    return title.empty() ? "" : "  " + title;
  }

  void Add(std::string_view label, const std::string& text) {
    absl::StrAppend(&out_, PadRight(session_.Label(label), kLabelWidth), Harmless(text), "\n");
  }

  void Title() {
    const Micros now = session_.environment.clock.Now();
    const Micros until = ToMicros(grant_.expires());
    const std::string state = absl::AsciiStrToUpper(GrantState(grant_, now));
    const std::string head = absl::StrCat("GRANT ", grant_.id(), ", revision ", grant_.revision());
    std::string tail = absl::StrCat(state, " until ", Time(until));
    if (grant_.state() == v1::GRANT_STATE_REVOKED)
      tail = absl::StrCat(state, ": ", Harmless(grant_.state_reason()));
    else if (now < until)
      absl::StrAppend(&tail, " (", (until - now) / kDay, " days)");
    absl::StrAppend(&out_, PadRight(Harmless(head), 61), tail, "\n");
  }

  std::string Who() const {
    std::vector<std::string> names;
    for (const std::string& system : grant_.systems())
      names.push_back(absl::StrCat(grant_.consumer_agency(), "/", system));
    return names.empty() ? grant_.consumer_agency() + ", all its systems"
                         : absl::StrJoin(names, ", ");
  }

  std::string Purposes() const {
    std::vector<std::string> needs;
    if (grant_.case_reference_required()) needs.push_back("case: required");
    if (grant_.end_user_required()) needs.push_back("end user: required");
    return absl::StrCat(absl::StrJoin(grant_.purposes(), ", "), needs.empty() ? "" : "          ",
                        absl::StrJoin(needs, ", "));
  }

  std::string Law() const {
    std::string law = LawWords(grant_.basis());
    if (!grant_.basis().text().empty()) absl::StrAppend(&law, " \"", grant_.basis().text(), "\"");
    return law;
  }

  void Fields() {
    size_t names = 0, masks = 0;
    for (const v1::GrantedField& field : grant_.fields()) {
      names = std::max(names, DisplayWidth(field.name()));
      masks = std::max(masks, DisplayWidth(MaskWords(field.mask())));
    }
    bool first = true;
    for (const v1::GrantedField& field : grant_.fields()) {
      const char* asked = field.filter() == v1::MASKED_FILTER_EXACT
                              ? "may be asked for by exact value"
                          : field.filter() == v1::MASKED_FILTER_MASKED_VALUE
                              ? "may be asked for as masked"
                              : "";
      std::string line = absl::StrCat(PadRight(field.name(), names), "  ",
                                      PadRight(MaskWords(field.mask()), masks), "  ", asked);
      Add(first ? "Fields" : "", std::string(absl::StripTrailingAsciiWhitespace(line)));
      first = false;
    }
    std::vector<std::string> missing;
    for (const v1::DatasetField& field : page_.dataset.fields()) {
      const bool granted =
          std::any_of(grant_.fields().begin(), grant_.fields().end(),
                      [&](const v1::GrantedField& one) { return one.name() == field.name(); });
      if (!granted) missing.push_back(field.name());
    }
    if (!missing.empty()) Add("", "not in it: " + absl::StrJoin(missing, ", "));
  }

  std::string Calls() const {
    return grant_.max_page_rows() > 0
               ? absl::StrCat("Query, up to ", grant_.max_page_rows(), " rows a page")
               : "Query";
  }

  std::string Quota() const {
    std::vector<std::string> parts;
    const v1::Quota& quota = grant_.quota();
    if (quota.calls_per_minute() > 0)
      parts.push_back(Grouped(quota.calls_per_minute()) + " calls a minute");
    if (quota.rows_per_day() > 0) {
      std::string day = Grouped(quota.rows_per_day()) + " rows a day";
      if (page_.left.has_rows_today())
        absl::StrAppend(&day, ", ", Grouped(page_.left.rows_today()), " left");
      if (page_.left.has_day_ends())
        absl::StrAppend(&day, ", new at ", Time(ToMicros(page_.left.day_ends())));
      parts.push_back(std::move(day));
    }
    if (quota.rows_total() > 0) {
      std::string total = Grouped(quota.rows_total()) + " rows in all";
      if (page_.left.has_rows_total())
        absl::StrAppend(&total, ", ", Grouped(page_.left.rows_total()), " left");
      parts.push_back(std::move(total));
    }
    return parts.empty() ? "no limit" : absl::StrJoin(parts, "; ");
  }

  const Session& session_;
  const GrantPage& page_;
  const v1::Grant& grant_;
  std::string out_;
};

}  // namespace

std::string GrantState(const v1::Grant& grant, Micros now) {
  if (grant.state() == v1::GRANT_STATE_REVOKED) return "revoked";
  if (now >= ToMicros(grant.expires())) return "expired";
  if (grant.has_not_before() && now < ToMicros(grant.not_before())) return "not yet in force";
  return "in force";
}

std::string FormatGrant(const Session& session, const GrantPage& page) {
  return Page(session, page).Format();
}

}  // namespace sluice::cli
