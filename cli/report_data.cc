#include "cli/report_data.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "cli/display.h"

namespace sluice::cli {
namespace {

void AddTo(ReportSum& sum, const v1::ReportUse& use) {
  sum.answers += use.answers();
  sum.streams += use.streams();
  sum.rows += use.rows();
  sum.denied += use.denied();
  sum.failed += use.failed();
}

}  // namespace

std::vector<ReportSum> SumBy(const ReportData& report,
                             const std::function<std::string(const v1::ReportUse&)>& key) {
  std::map<std::string, ReportSum> sums;
  for (const v1::ReportUse& use : report.uses) AddTo(sums[key(use)], use);
  std::vector<ReportSum> list;
  for (auto& [name, sum] : sums) {
    sum.key = name;
    list.push_back(sum);
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const ReportSum& a, const ReportSum& b) { return a.calls() > b.calls(); });
  return list;
}

std::vector<ReportSum> SumByDay(const ReportData& report) {
  std::map<std::string, ReportSum> sums;
  absl::CivilDay day, last;
  if (absl::ParseCivilTime(report.from, &day) && absl::ParseCivilTime(report.to, &last))
    for (; day <= last; ++day) sums[absl::FormatCivilTime(day)] = {};
  for (const v1::ReportUse& use : report.uses) AddTo(sums[use.day()], use);
  std::vector<ReportSum> list;
  for (auto& [name, sum] : sums) {
    sum.key = name;
    list.push_back(sum);
  }
  return list;
}

FindingWords WordsOf(const v1::ReportFinding& finding) {
  const std::string value = Grouped(finding.value()), against = Grouped(finding.against());
  switch (finding.kind()) {
    case v1::REPORT_FINDING_KIND_VOLUME:
      return {
          "unusual volume",
          absl::StrCat(value, " rows in a day; the busiest of the 28 days before had ", against),
          "数据量异常", absl::StrCat("一日 ", value, " 行；此前 28 天单日最多 ", against, " 行")};
    case v1::REPORT_FINDING_KIND_ODD_HOURS:
      return {"odd hours",
              absl::StrCat(value, " calls at night or at a weekend; ", against,
                           " in the 28 days before"),
              "非常规时段",
              absl::StrCat("夜间或周末调用 ", value, " 次；此前 28 天 ", against, " 次")};
    case v1::REPORT_FINDING_KIND_ENUMERATION:
      return {"guessing of keys",
              absl::StrCat(value, " of ", against, " questions for named persons found nobody"),
              "疑似枚举", absl::StrCat("按身份查询 ", against, " 次，其中 ", value, " 次查无此人")};
    case v1::REPORT_FINDING_KIND_REPEATED_SUBJECT:
      return {"repeated looks at one person",
              absl::StrCat(value, " looks at one person on ", against, " days"), "反复查询同一人",
              absl::StrCat("对同一人在 ", against, " 天内查询 ", value, " 次")};
    case v1::REPORT_FINDING_KIND_GUESSING:
      return {"guessing of values",
              absl::StrCat(value, " of ", against, " answers of Match were not a match"),
              "疑似猜测", absl::StrCat("核验 ", against, " 项，其中 ", value, " 项不符或查无")};
    default:
      return {"of a kind that this tool does not know", absl::StrCat(value, ", ", against),
              "本工具不认识的类别", absl::StrCat(value, ", ", against)};
  }
}

std::string ExampleWords(const v1::ReportFinding& finding) {
  std::string words;
  for (const int64_t index : finding.examples())
    absl::StrAppend(&words, words.empty() ? "#" : " #", index);
  return words;
}

}  // namespace sluice::cli
