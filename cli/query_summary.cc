#include "cli/query_summary.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/times.h"
#include "cli/words.h"

namespace sluice::cli {
namespace {

constexpr absl::string_view kBetween = " · ";

std::string FirstLine(const Session& session, const v1::Applied& applied,
                      const QueryTotals& totals) {
  std::string line = absl::StrCat(Grouped(totals.rows), totals.rows == 1 ? " row" : " rows", " in ",
                                  Grouped(totals.elapsed / kMillisecond), " ms");
  if (totals.pages > 1) absl::StrAppend(&line, ", ", totals.pages, " pages");
  if (applied.has_data_as_of())
    absl::StrAppend(&line, kBetween, "data as of ",
                    FormatTime(ToMicros(applied.data_as_of()), session.environment.zone));
  if (applied.bad_values() > 0)
    absl::StrAppend(&line, kBetween, Grouped(applied.bad_values()),
                    " values did not fit their type and are null");
  if (applied.records_rejected())
    absl::StrAppend(&line, kBetween, "the source has records that are no rows: left out");
  if (!applied.ordered() && totals.rows > 1) absl::StrAppend(&line, kBetween, "in no order");
  if (totals.more)
    absl::StrAppend(&line, kBetween, "more rows match: --limit N, or --limit 0 for all");
  return line;
}

// "~/.local/…" for what lies below the home.
std::string ShortPath(const Session& session, const std::string& path) {
  const auto home = session.environment.variable("HOME");
  if (!home || home->size() < 2 || !path.starts_with(*home + "/")) return path;
  return "~" + path.substr(home->size());
}

}  // namespace

std::string MaskedWords(const v1::Applied& applied) {
  std::vector<std::string> masks;
  for (const v1::AppliedField& field : applied.fields())
    if (field.mask().kind() != v1::MASK_KIND_UNSPECIFIED &&
        field.mask().kind() != v1::MASK_KIND_NONE)
      masks.push_back(absl::StrCat(field.name(), " ", MaskWords(field.mask())));
  return absl::StrJoin(masks, kBetween);
}

std::string GrantWords(const v1::Applied& applied) {
  std::vector<std::string> parts = {
      applied.grant().empty() ? "as it would be given"
                              : absl::StrCat(applied.grant(), " r", applied.grant_revision())};
  if (!applied.row_filter().empty())
    parts.push_back(absl::StrCat("rows where ", applied.row_filter()));
  if (!applied.basis().law().empty())
    parts.push_back(absl::StrCat("law ", LawWords(applied.basis())));
  if (std::string left = QuotaLeftWords(applied.quota_left()); !left.empty())
    parts.push_back(std::move(left));
  return absl::StrJoin(parts, kBetween);
}

std::string FormatGrantAndAudit(const Session& session, const v1::Applied& applied,
                                const v1::Receipt& receipt, const std::string& kept) {
  const auto line = [&](std::string_view label, const std::string& text) {
    return absl::StrCat(PadRight(session.Label(label), 8), " ", Harmless(text), "\n");
  };
  return absl::StrCat(line("grant", GrantWords(applied)),
                      line("audit", absl::StrCat("#", receipt.index(), " ", receipt.origin(),
                                                 kBetween, "receipt ", ShortPath(session, kept))));
}

std::string FormatSummary(const Session& session, const v1::QueryResponse& last,
                          const QueryTotals& totals) {
  const v1::Applied& applied = last.applied();
  std::string out = FirstLine(session, applied, totals) + "\n";
  const auto add = [&](std::string_view label, const std::string& text) {
    absl::StrAppend(&out, PadRight(session.Label(label), 8), " ", Harmless(text), "\n");
  };
  std::string masked = MaskedWords(applied);
  if (applied.left_out_size() > 0)
    absl::StrAppend(&masked, masked.empty() ? "none" : "", "     ", session.Label("left out"), "  ",
                    absl::StrJoin(applied.left_out(), ", "));
  if (!masked.empty()) add("masked", masked);
  add("grant", GrantWords(applied));
  std::string index = absl::StrCat("#", totals.first_index);
  if (totals.last_index != totals.first_index) absl::StrAppend(&index, " to #", totals.last_index);
  add("audit", absl::StrCat(index, " ", last.receipt().origin(), kBetween, "receipt ",
                            ShortPath(session, totals.receipt)));
  return out;
}

}  // namespace sluice::cli
