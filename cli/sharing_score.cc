#include "cli/sharing_score.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "cli/times.h"

namespace sluice::cli {
namespace {

// Adds counts; of what stands at a month's end, the newest month counts.
void AddScore(const v1::SharingScore& score, bool stands, v1::SharingScore& sum) {
  const auto* type = v1::SharingScore::descriptor();
  const auto* reflection = v1::SharingScore::GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* field = type->field(i);
    if (field->is_repeated() || field->cpp_type() != field->CPPTYPE_INT64) continue;
    const bool stock = field->name().starts_with("datasets") || field->name().starts_with("grants");
    if (stock && !stands) continue;
    reflection->SetInt64(&sum, field,
                         reflection->GetInt64(sum, field) + reflection->GetInt64(score, field));
  }
  sum.mutable_reply_days()->MergeFrom(score.reply_days());
}

template <class Key>
std::vector<ScoreSum> SumScores(const SharingScores& scores, bool by_owner, const Key& key) {
  std::map<std::string, ScoreSum> sums;
  for (const v1::SharingScore& score : scores.report.scores()) {
    ScoreSum& sum = sums[key(score)];
    sum.key = key(score);
    const auto& last =
        scores.report.scores(scores.report.scores_size() - 1);  // of the newest month
    AddScore(score, !by_owner || score.month() == last.month(), sum.all);
  }
  std::vector<ScoreSum> list;
  for (auto& [name, sum] : sums) {
    std::sort(sum.all.mutable_reply_days()->begin(), sum.all.mutable_reply_days()->end());
    list.push_back(std::move(sum));
  }
  return list;
}

std::vector<std::string> SumCells(const ScoreSum& sum) {
  const v1::SharingScore& all = sum.all;
  return {sum.key,
          Grouped(all.submitted()),
          Grouped(all.agreed()),
          Grouped(all.refused()),
          Grouped(all.returned()),
          ShareWords(all.replies_met(), sum.replies()),
          MedianWords(all.reply_days()),
          ShareWords(all.provided_met(), sum.provisions()),
          Grouped(all.disputed()),
          Grouped(all.corrections_raised()),
          ShareWords(all.corrections_met(), sum.corrections()),
          Grouped(all.datasets()),
          Grouped(all.datasets_overdue()),
          Grouped(all.grants()),
          Grouped(all.grants_unused()),
          Grouped(all.answers()),
          Grouped(all.denied())};
}

ScoreTable SumsTable(const char* key, const std::vector<ScoreSum>& sums) {
  ScoreTable table;
  table.columns = {{key},
                   {"requests", true},
                   {"agreed", true},
                   {"refused", true},
                   {"returned", true},
                   {"replies in time", true},
                   {"days (median)", true},
                   {"provided in time", true},
                   {"disputed", true},
                   {"corrections", true},
                   {"corrected in time", true},
                   {"datasets", true},
                   {"overdue", true},
                   {"grants", true},
                   {"unused", true},
                   {"answers", true},
                   {"denied", true}};
  for (const ScoreSum& sum : sums) table.rows.push_back(SumCells(sum));
  return table;
}

}  // namespace

void MakePublic(SharingScores& scores) {
  scores.published = true;
  scores.report.clear_unused();
  for (v1::SharingBreach& breach : *scores.report.mutable_breaches()) {
    breach.clear_access_request();
    breach.clear_correction();
    breach.clear_catalogue_update();
  }
}

std::vector<ScoreSum> SumByOwner(const SharingScores& scores) {
  auto sums = SumScores(scores, true, [](const v1::SharingScore& one) { return one.agency(); });
  std::stable_sort(sums.begin(), sums.end(), [](const ScoreSum& a, const ScoreSum& b) {
    // Those with no reply due come last.
    if ((a.replies() == 0) != (b.replies() == 0)) return b.replies() == 0;
    return a.all.replies_met() * b.replies() < b.all.replies_met() * a.replies();
  });
  return sums;
}

std::vector<ScoreSum> SumByMonth(const SharingScores& scores) {
  return SumScores(scores, false, [](const v1::SharingScore& one) { return one.month(); });
}

std::string ShareWords(int64_t kept, int64_t all) {
  if (all == 0) return "";
  return absl::StrCat(kept, " of ", all, " (", kept * 100 / all, " %)");
}

std::string MedianWords(const google::protobuf::RepeatedField<int32_t>& days) {
  if (days.empty()) return "";
  const int size = days.size();
  if (size % 2 == 1) return absl::StrCat(days[size / 2]);
  const int twice = days[size / 2 - 1] + days[size / 2];
  return absl::StrCat(twice / 2, twice % 2 == 0 ? "" : ".5");
}

ScoreTable OwnersTable(const SharingScores& scores) {
  return SumsTable("agency", SumByOwner(scores));
}

ScoreTable MonthsTable(const SharingScores& scores) {
  return SumsTable("month", SumByMonth(scores));
}

ScoreTable RefusalsTable(const SharingScores& scores) {
  ScoreTable table{{{"month"}, {"agency"}, {"law"}, {"count", true}}, {}};
  for (const v1::SharingRefusal& refusal : scores.report.refusals())
    table.rows.push_back({refusal.month(), refusal.agency(),
                          absl::StrCat(refusal.law(), " ", refusal.article()),
                          Grouped(refusal.count())});
  return table;
}

ScoreTable BreachesTable(const SharingScores& scores) {
  ScoreTable table{{{"month"}, {"agency"}, {"clock"}, {"dataset"}}, {}};
  if (!scores.published) table.columns.push_back({"what"});
  table.columns.push_back({"days late", true});
  table.columns.push_back({"still open"});
  for (const v1::SharingBreach& breach : scores.report.breaches()) {
    auto& row = table.rows.emplace_back(std::vector<std::string>{breach.month(), breach.agency(),
                                                                 breach.clock(), breach.dataset()});
    // One of the three, and the others empty.
    if (!scores.published)
      row.push_back(
          absl::StrCat(breach.access_request(), breach.correction(), breach.catalogue_update()));
    row.push_back(absl::StrCat(breach.working_days_late()));
    row.push_back(breach.open() ? "open" : "");
  }
  return table;
}

ScoreTable UnusedTable(const SharingScores& scores, const absl::TimeZone& zone) {
  ScoreTable table{{{"agency"}, {"grant"}, {"dataset"}, {"consumer"}, {"since"}, {"last used"}},
                   {}};
  for (const v1::UnusedGrant& unused : scores.report.unused())
    table.rows.push_back(
        {unused.agency(), unused.grant(), unused.dataset(), unused.consumer_agency(),
         FormatDay(ToMicros(unused.since()), zone),
         unused.has_last_used() ? FormatDay(ToMicros(unused.last_used()), zone) : "never"});
  return table;
}

ScoreTable AllScoresTable(const SharingScores& scores) {
  ScoreTable table{{{"month"}, {"agency"}}, {}};
  std::vector<const google::protobuf::FieldDescriptor*> numbers;
  const auto* type = v1::SharingScore::descriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* field = type->field(i);
    if (field->is_repeated() || field->cpp_type() != field->CPPTYPE_INT64) continue;
    numbers.push_back(field);
    table.columns.push_back({field->name(), true});
  }
  table.columns.push_back({"reply_days_median", true});
  for (const v1::SharingScore& score : scores.report.scores()) {
    auto& row = table.rows.emplace_back(std::vector<std::string>{score.month(), score.agency()});
    for (const auto* field : numbers)
      row.push_back(absl::StrCat(v1::SharingScore::GetReflection()->GetInt64(score, field)));
    row.push_back(MedianWords(score.reply_days()));
  }
  return table;
}

}  // namespace sluice::cli
