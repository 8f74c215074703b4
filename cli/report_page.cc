#include "cli/report_page.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/display.h"
#include "cli/html_page.h"
#include "cli/times.h"
#include "cli/words.h"

namespace sluice::cli {
namespace {

constexpr size_t kMostBars = 15;
constexpr size_t kMostLines = 500;

class ReportWriting {
 public:
  explicit ReportWriting(const ReportData& report) : report_(report) {}

  std::string Make() {
    Begin();
    Facts();
    Findings();
    Days();
    Bars("部门", "By agency", SumBy(report_, [](const auto& use) { return use.agency(); }));
    Bars("数据集", "By dataset", SumBy(report_, [](const auto& use) { return use.dataset(); }));
    Bars("用途", "By purpose", SumBy(report_, [](const auto& use) { return use.purpose(); }));
    Denials();
    Unfinished();
    Uses();
    absl::StrAppend(&out_, "</body>\n</html>\n");
    return std::move(out_);
  }

 private:
  void Heading(std::string_view chinese, std::string_view english) {
    out_ += HtmlHeading(chinese, english);
  }
  void Begin() {
    const std::string title =
        absl::StrCat("数据共享审计报告 · Audit report ", report_.from, " – ", report_.to);
    absl::StrAppend(&out_, HtmlBegin(title), "<p class=\"soft\">", HtmlEscaped(report_.origin),
                    " · 时区 zone ", report_.offset, " · 记录 records #",
                    std::max<int64_t>(report_.totals.first_index(), 0), " – #",
                    report_.totals.next_index() - 1, " · 制表 made ", HtmlEscaped(report_.made),
                    " · 本次查阅 this reading #", report_.read_index, "</p>\n");
  }
  void Fact(std::string_view chinese, std::string_view english, int64_t number) {
    absl::StrAppend(&out_, "<div class=\"fact\"><b>", Grouped(number), "</b>", std::string(chinese),
                    " ", std::string(english), "</div>\n");
  }
  void Facts() {
    const v1::ReportTotals& totals = report_.totals;
    out_ += "<div class=\"facts\">\n";
    Fact("次应答", "answers", totals.answers());
    Fact("个数据流", "streams", totals.streams());
    Fact("行", "rows", totals.rows());
    Fact("次拒绝", "denied", totals.denied());
    Fact("次失败", "failed", totals.failed());
    Fact("项变更", "changes", totals.changed());
    Fact("次查阅日志", "log readings", totals.read());
    out_ += "</div>\n";
  }
  void Table(const std::vector<TableColumn>& columns,
             const std::vector<std::vector<std::string>>& rows) {
    out_ += HtmlTable(columns, rows, kMostLines, "sluice --format csv audit report");
  }
  void Findings() {
    Heading("值得查看", "Worth a look");
    out_ +=
        "<p class=\"soft\">以下各项不是指控：请逐条查阅所列记录。These accuse nobody: the records "
        "that they name say what was done (<code>sluice audit show INDEX</code>).</p>\n";
    std::vector<std::vector<std::string>> rows;
    for (const v1::ReportFinding& finding : report_.findings) {
      const FindingWords words = WordsOf(finding);
      rows.push_back({absl::StrCat(words.what_zh, " ", words.what), finding.day(),
                      PrincipalWords(finding.principal()), finding.dataset(),
                      absl::StrCat(words.why_zh, " · ", words.why), ExampleWords(finding)});
    }
    if (rows.empty()) {
      out_ += "<p>无 · nothing</p>\n";
    } else {
      Table({{"事项 what"},
             {"日期 day"},
             {"系统 who"},
             {"数据集 dataset"},
             {"依据 why"},
             {"记录 records"}},
            rows);
    }
    if (report_.totals.not_judged() > 0)
      absl::StrAppend(&out_, "<p class=\"soft\">", report_.totals.not_judged(),
                      " 个系统的历史不足五天，未比较其数据量 · uses too new to be held against "
                      "their own history</p>\n");
    if (report_.totals.erased() > 0)
      absl::StrAppend(&out_, "<p class=\"soft\">", report_.totals.erased(),
                      " 条记录的明细已销毁，未判断是否反复查询 · records whose details were "
                      "erased</p>\n");
  }
  void Days() {
    Heading("每日", "By day");
    const std::vector<ReportSum> days = SumByDay(report_);
    out_ +=
        "<p class=\"soft key\"><span style=\"background:var(--let)\"></span>应答与数据流 "
        "answers and streams<span style=\"background:var(--no)\"></span>拒绝与失败 denied and "
        "failed</p>\n";
    if (days.empty()) return;
    int64_t most = 0;
    for (const ReportSum& day : days) most = std::max(most, day.calls());
    const int64_t top = AxisTop(most);
    constexpr double kLeft = 60, kWidth = 840, kHeight = 180, kBase = 190;
    absl::StrAppend(&out_, "<svg viewBox=\"0 0 920 220\" role=\"img\" aria-label=\"by day\">\n");
    for (const int64_t at : {int64_t{0}, top / 2, top}) {
      if (at == 0 && top == 1) continue;
      const double y = kBase - kHeight * static_cast<double>(at) / static_cast<double>(top);
      absl::StrAppendFormat(&out_,
                            "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                            kLeft, kLeft + kWidth, y, y, kLeft - 6, y + 4, Grouped(at));
    }
    const double step = kWidth / static_cast<double>(days.size());
    const size_t every = (days.size() + 9) / 10;
    for (size_t i = 0; i < days.size(); ++i) {
      const ReportSum& day = days[i];
      const double x = kLeft + step * static_cast<double>(i);
      const double let =
          kHeight * static_cast<double>(day.answers + day.streams) / static_cast<double>(top);
      const double no =
          kHeight * static_cast<double>(day.denied + day.failed) / static_cast<double>(top);
      absl::StrAppendFormat(
          &out_,
          "<g><title>%s: %s answers and streams, %s rows, %s denied, %s failed</title>"
          "<rect class=\"let\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
          "<rect class=\"no\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/></g>\n",
          day.key, Grouped(day.answers + day.streams), Grouped(day.rows), Grouped(day.denied),
          Grouped(day.failed), x + step * 0.1, kBase - let, step * 0.8, let, x + step * 0.1,
          kBase - let - no, step * 0.8, no);
      if (i % every == 0)
        absl::StrAppendFormat(&out_, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x + step * 0.1,
                              kBase + 16, day.key.substr(5));
    }
    out_ += "</svg>\n";
  }
  void Bars(std::string_view chinese, std::string_view english,
            const std::vector<ReportSum>& sums) {
    Heading(chinese, english);
    if (sums.empty()) {
      out_ += "<p>无 · nothing</p>\n";
      return;
    }
    const size_t shown = std::min(sums.size(), kMostBars);
    const auto most = static_cast<double>(std::max<int64_t>(sums.front().calls(), 1));
    const size_t height = 22 * shown + 6;
    absl::StrAppend(&out_, "<svg viewBox=\"0 0 920 ", height, "\" role=\"img\" aria-label=\"",
                    std::string(english), "\">\n");
    for (size_t i = 0; i < shown; ++i) {
      const ReportSum& sum = sums[i];
      const double y = 22.0 * static_cast<double>(i) + 4;
      const double let = 380 * static_cast<double>(sum.answers + sum.streams) / most;
      const double no = 380 * static_cast<double>(sum.denied + sum.failed) / most;
      std::string name = sum.key.empty() ? "–" : sum.key;
      if (DisplayWidth(name) > 40) {
        while (DisplayWidth(name) > 38) name.pop_back();
        while (!name.empty() && (name.back() & 0x80) != 0) name.pop_back();
        name += "…";
      }
      absl::StrAppendFormat(
          &out_,
          "<text x=\"260\" y=\"%.1f\" text-anchor=\"end\">%s</text>"
          "<rect class=\"let\" x=\"268\" y=\"%.1f\" width=\"%.1f\" height=\"14\"/>"
          "<rect class=\"no\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\"/>"
          "<text x=\"%.1f\" y=\"%.1f\">%s calls, %s rows</text>\n",
          y + 11, HtmlEscaped(name), y, let, 268 + let, y, no, 274 + let + no, y + 11,
          Grouped(sum.calls()), Grouped(sum.rows));
    }
    out_ += "</svg>\n";
    if (sums.size() > shown)
      absl::StrAppend(&out_, "<p class=\"soft\">另有 ", sums.size() - shown, " 项 · ",
                      sums.size() - shown, " more</p>\n");
  }
  void Denials() {
    Heading("拒绝", "Denials by reason");
    std::vector<std::vector<std::string>> rows;
    for (const v1::ReportDenial& denial : report_.denials)
      rows.push_back({v1::Reason_Name(denial.reason()).substr(7),
                      denial.agency().empty() ? "–" : denial.agency(),
                      denial.dataset().empty() ? "–" : denial.dataset(), Grouped(denial.count()),
                      absl::StrCat("#", denial.last_index())});
    if (rows.empty()) {
      out_ += "<p>无 · nothing</p>\n";
      return;
    }
    Table({{"原因 reason"},
           {"部门 agency"},
           {"数据集 dataset"},
           {"次数 count", true},
           {"最近 newest", true}},
          rows);
  }
  void Unfinished() {
    Heading("未完成的数据流", "Streams without an end");
    std::vector<std::vector<std::string>> rows;
    for (const v1::ReportStream& stream : report_.unfinished)
      rows.push_back({absl::StrCat("#", stream.opened()), FormatZulu(ToMicros(stream.time())),
                      PrincipalWords(stream.principal()), stream.dataset(),
                      absl::StrCat("≤ ", Grouped(stream.rows()))});
    if (rows.empty()) {
      out_ += "<p>无 · nothing</p>\n";
      return;
    }
    Table({{"记录 record"}, {"时间 time"}, {"系统 who"}, {"数据集 dataset"}, {"行 rows", true}},
          rows);
  }
  void Uses() {
    Heading("部门、数据集、用途", "By agency, dataset and purpose");
    std::vector<std::vector<std::string>> rows;
    for (const ReportSum& sum : SumBy(report_, [](const v1::ReportUse& use) {
           return absl::StrCat(use.agency(), "\n", use.dataset(), "\n", use.purpose());
         })) {
      const size_t first = sum.key.find('\n'), second = sum.key.find('\n', first + 1);
      const auto part = [&](size_t begin, size_t end) {
        const std::string text = sum.key.substr(begin, end - begin);
        return text.empty() ? std::string("–") : text;
      };
      rows.push_back({part(0, first), part(first + 1, second), part(second + 1, sum.key.size()),
                      Grouped(sum.answers), Grouped(sum.streams), Grouped(sum.rows),
                      Grouped(sum.denied), Grouped(sum.failed)});
    }
    if (rows.empty()) {
      out_ += "<p>无 · nothing</p>\n";
      return;
    }
    Table({{"部门 agency"},
           {"数据集 dataset"},
           {"用途 purpose"},
           {"应答 answers", true},
           {"流 streams", true},
           {"行 rows", true},
           {"拒绝 denied", true},
           {"失败 failed", true}},
          rows);
  }

  const ReportData& report_;
  std::string out_;
};

}  // namespace

std::string ReportPage(const ReportData& report) { return ReportWriting(report).Make(); }

}  // namespace sluice::cli
