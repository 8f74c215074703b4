#include "adapters/xlsx/settings.h"

#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/xlsx/sheet.h"
#include "gateway/base/error.h"

namespace sluice::adapters::xlsx {
namespace {

using files::Mistake;

constexpr int64_t kMostHeaderRows = 16;

const std::string* FindPlace(const Settings& places, const std::string& name,
                             const std::string& table) {
  for (const std::string& key : {absl::StrCat(name, ".", table), name})
    if (const auto found = places.find(key); found != places.end()) return &found->second;
  return nullptr;
}

Mistake TakePlace(const std::string& name, const std::string& value) {
  int64_t number = 0;
  if (name == "first_row") return files::TakeNumber(value, 1, kMostSheetRows, number);
  if (name == "header_rows") return files::TakeNumber(value, 1, kMostHeaderRows, number);
  return value.empty() ? "must be a sheet's name, or its number from 1" : "";
}

std::optional<Mistake> TakeXlsxSetting(const std::string& name, const std::string& value,
                                       XlsxSettings& parsed) {
  const std::string stem = name.substr(0, name.find('.'));
  if (stem == "sheet" || stem == "first_row" || stem == "header_rows") {
    parsed.places[name] = value;
    return TakePlace(stem, value);
  }
  if (name == "blank_rows")
    return files::TakeChoice(value, "refuse", "skip", parsed.skips_blank_rows);
  if (name == "extra_cells")
    return files::TakeChoice(value, "refuse", "ignore", parsed.ignores_extra_cells);
  if (name == "most_unpacked_bytes")
    return files::TakeNumber(value, 1 << 20, int64_t{1} << 40, parsed.most_unpacked_bytes);
  if (name == "most_row_bytes")
    return files::TakeNumber(value, 1'024, 64 << 20, parsed.most_row_bytes);
  Mistake mistake;
  if (parsed.rules.Take(name, value, mistake)) return mistake;
  return std::nullopt;
}

}  // namespace

TablePlace XlsxSettings::PlaceOf(const std::string& table) const {
  TablePlace place;
  if (const auto* sheet = FindPlace(places, "sheet", table); sheet != nullptr) place.sheet = *sheet;
  if (const auto* row = FindPlace(places, "first_row", table); row != nullptr)
    (void)absl::SimpleAtoi(*row, &place.first_row);
  if (const auto* rows = FindPlace(places, "header_rows", table); rows != nullptr)
    (void)absl::SimpleAtoi(*rows, &place.header_rows);
  return place;
}

bool XlsxSettings::SaysSheet(const std::string& file) const {
  return FindPlace(places, "sheet", file) != nullptr;
}

absl::StatusOr<SourceSettings> ParseSettings(const Settings& settings) {
  SourceSettings parsed;
  files::Mistakes mistakes;
  parsed.files = files::ParseFileSettings(
      settings, "xlsx", ".xlsx", mistakes,
      [&](const std::string& name, const std::string& value) {
        return TakeXlsxSetting(name, value, parsed.format);
      },
      files::Packing::kNone);
  SLUICE_RETURN_IF_ERROR(mistakes.AsStatus());
  return parsed;
}

}  // namespace sluice::adapters::xlsx
