#include "cli/sharing_score_page.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/html_page.h"
#include "cli/labels.h"

namespace sluice::cli {
namespace {

constexpr size_t kMostScoreLines = 500;
constexpr char kScoreCommand[] = "sluice --format json report sharing";

class ScoreWriting {
 public:
  ScoreWriting(const SharingScores& scores, const absl::TimeZone& zone)
      : scores_(scores), zone_(zone) {}

  std::string Make() {
    Begin();
    Facts();
    Chart("按月答复", "Replies by month", SumByMonth(scores_));
    Chart("各部门答复", "Replies by agency", SumByOwner(scores_));
    Section("各部门", "By agency", OwnersTable(scores_));
    Section("按月", "By month", MonthsTable(scores_));
    Section("不予共享依据", "Refusals by law", RefusalsTable(scores_));
    Section("超期", "Past the law's days", BreachesTable(scores_));
    if (!scores_.published)
      Section("未使用的授权", "Grants without use", UnusedTable(scores_, zone_));
    out_ += "</body>\n</html>\n";
    return std::move(out_);
  }

 private:
  void Begin() {
    const std::string title = absl::StrCat("数据共享成效 · Scorecard of data sharing ",
                                           scores_.from, scores_.from == scores_.to ? "" : " – ",
                                           scores_.from == scores_.to ? "" : scores_.to);
    absl::StrAppend(&out_, HtmlBegin(title), "<p class=\"soft\">", HtmlEscaped(scores_.origin),
                    " · 时区 zone ", scores_.offset, " · 依据日志记录 from records of the log ",
                    Grouped(scores_.report.records()), " · 制表 made ", HtmlEscaped(scores_.made));
    if (!scores_.published)
      absl::StrAppend(&out_, " · 本次查阅 this reading #", scores_.report.read_index());
    out_ += "</p>\n";
    if (scores_.report.erased() > 0)
      absl::StrAppend(&out_, "<p class=\"soft\">", scores_.report.erased(),
                      " 条变更的明细已销毁，未计入 · changes whose details were erased are not "
                      "counted</p>\n");
  }
  void Fact(const std::string& number, std::string_view chinese, std::string_view english) {
    absl::StrAppend(&out_, "<div class=\"fact\"><b>", number.empty() ? "–" : number, "</b>",
                    std::string(chinese), " ", std::string(english), "</div>\n");
  }
  void Facts() {
    ScoreSum all;
    for (const ScoreSum& month : SumByMonth(scores_)) {
      const auto add = [](int64_t a, int64_t b) { return a + b; };
      all.all.set_submitted(add(all.all.submitted(), month.all.submitted()));
      all.all.set_agreed(add(all.all.agreed(), month.all.agreed()));
      all.all.set_refused(add(all.all.refused(), month.all.refused()));
      all.all.set_answers(add(all.all.answers(), month.all.answers()));
      all.all.set_replies_met(add(all.all.replies_met(), month.all.replies_met()));
      all.all.set_replies_missed(
          add(all.all.replies_missed(), month.replies() - month.all.replies_met()));
      all.all.mutable_reply_days()->MergeFrom(month.all.reply_days());
      all.all.set_corrections_raised(
          add(all.all.corrections_raised(), month.all.corrections_raised()));
      all.all.set_corrections_met(add(all.all.corrections_met(), month.all.corrections_met()));
      all.all.set_corrections_missed(
          add(all.all.corrections_missed(), month.corrections() - month.all.corrections_met()));
    }
    auto& days = *all.all.mutable_reply_days();
    std::sort(days.begin(), days.end());
    out_ += "<div class=\"facts\">\n";
    Fact(Grouped(all.all.submitted()), "件申请", "requests");
    Fact(Grouped(all.all.agreed()), "件同意", "agreed");
    Fact(Grouped(all.all.refused()), "件不同意", "refused");
    Fact(ShareWords(all.all.replies_met(), all.replies()), "按期答复", "replies in time");
    Fact(MedianWords(days), "个工作日(中位数)", "working days (median)");
    Fact(Grouped(all.all.corrections_raised()), "件校核", "corrections");
    Fact(ShareWords(all.all.corrections_met(), all.corrections()), "按期校核",
         "corrections in time");
    Fact(Grouped(all.all.answers()), "次使用", "answers");
    out_ += "</div>\n";
  }
  void Section(std::string_view chinese, std::string_view english, ScoreTable table) {
    for (TableColumn& column : table.columns) {
      const std::string chinese_title(ChineseLabel(column.title));
      if (chinese_title != column.title)
        column.title = absl::StrCat(chinese_title, " ", column.title);
    }
    absl::StrAppend(&out_, HtmlHeading(chinese, english),
                    HtmlTable(table.columns, table.rows, kMostScoreLines, kScoreCommand));
  }
  // A bar a line: in time, and late or overdue.
  void Chart(std::string_view chinese, std::string_view english,
             const std::vector<ScoreSum>& sums) {
    out_ += HtmlHeading(chinese, english);
    int64_t most = 0;
    for (const ScoreSum& sum : sums) most = std::max(most, sum.replies());
    if (most == 0) {
      out_ += "<p>无 · nothing</p>\n";
      return;
    }
    absl::StrAppend(&out_,
                    "<p class=\"soft key\"><span style=\"background:var(--let)\"></span>按期 in "
                    "time<span style=\"background:var(--no)\"></span>超期 late or overdue</p>\n"
                    "<svg viewBox=\"0 0 920 ",
                    22 * sums.size() + 6, "\" role=\"img\" aria-label=\"", std::string(english),
                    "\">\n");
    for (size_t i = 0; i < sums.size(); ++i) {
      const ScoreSum& sum = sums[i];
      const double y = 22.0 * static_cast<double>(i) + 4;
      const auto width = [most](int64_t number) {
        return 420 * static_cast<double>(number) / static_cast<double>(most);
      };
      const double kept = width(sum.all.replies_met());
      const double late = width(sum.replies() - sum.all.replies_met());
      absl::StrAppendFormat(
          &out_,
          "<text x=\"260\" y=\"%.1f\" text-anchor=\"end\">%s</text>"
          "<rect class=\"let\" x=\"268\" y=\"%.1f\" width=\"%.1f\" height=\"14\"/>"
          "<rect class=\"no\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\"/>"
          "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n",
          y + 11, HtmlEscaped(sum.key), y, kept, 268 + kept, y, late, 274 + kept + late, y + 11,
          ShareWords(sum.all.replies_met(), sum.replies()));
    }
    out_ += "</svg>\n";
  }

  const SharingScores& scores_;
  const absl::TimeZone& zone_;
  std::string out_;
};

}  // namespace

std::string SharingScorePage(const SharingScores& scores, const absl::TimeZone& zone) {
  return ScoreWriting(scores, zone).Make();
}

}  // namespace sluice::cli
