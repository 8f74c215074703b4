// What a fuzz target of any file format does with a file of any bytes: its layout, every row as
// every type, every key; then the rows again from places in between, which must be the same.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/files/format.h"
#include "adapters/files/key.h"
#include "gateway/base/check.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::files {

inline std::vector<ColumnRequest> EveryType(const Layout& layout, const TableName& table) {
  using records::TypeId;
  static const records::DataType kTypes[] = {
      {TypeId::kUtf8},    {TypeId::kInt64},     {TypeId::kDecimal128, 12, 2},
      {TypeId::kFloat64}, {TypeId::kTimestamp}, {TypeId::kBool},
      {TypeId::kDate32},  {TypeId::kBinary}};
  std::vector<ColumnRequest> columns;
  for (size_t i = 0; i < layout.columns.size() && i < 64; ++i) {
    const ColumnDescription& column = layout.columns[i];
    if (!layout.Find(table, column.name).ok()) continue;
    columns.push_back({i, column.name, kTypes[i % 8]});
    columns.push_back({i, column.name, column.type});
  }
  return columns;
}

// The next row that is one, behind records that are none.
inline bool NextGood(Rows& rows, const Content& content, const Watch& watch) {
  for (;;) {
    const auto any = rows.Next(watch);
    if (any.ok()) return *any;
    if (!rows.can_go_on()) return false;
    SLUICE_CHECK(rows.place().offset < content.size());
    uint8_t sum = 0;
    for (const char byte : rows.raw()) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(byte));
    [[maybe_unused]] const volatile uint8_t kept = sum;
  }
}

inline void ReadTable(const Format& format, std::shared_ptr<const Content> content,
                      const TableName& table) {
  const CallContext context;
  const Watch watch(context);
  // What Describe would read comes first.
  const auto described = format.ReadLayout(content, table, watch);
  if (const auto unpacking = format.Unpack(content, table, "/tmp"); unpacking != nullptr) {
    if (!unpacking->Finish(watch).ok()) return;
    content = unpacking->content();
    SLUICE_CHECK(described.ok());
  }
  const auto layout = format.ReadLayout(content, table, watch);
  if (!layout.ok()) return;
  const auto columns = EveryType(**layout, table);
  if (columns.empty()) return;
  const auto rows = format.Open(content, *layout, table, columns);
  SLUICE_CHECK(rows.ok());
  KeyReader keys(**rows, columns, {0}, "t", format.counted());
  (*rows)->Seek((*layout)->rows);
  std::vector<std::pair<Place, std::string>> some;
  Place last{-1, 0, 0};
  int64_t count = 0;
  while (NextGood(**rows, *content, watch)) {
    const Place& place = (*rows)->place();
    SLUICE_CHECK(std::pair(place.offset, place.part) > std::pair(last.offset, last.part));
    SLUICE_CHECK(place.offset < content->size());
    SLUICE_CHECK((*rows)->MostBytes() >= 0);
    last = place;
    std::string key;
    const bool has_key = keys.Read(key).ok();
    if (has_key && count++ % 7 == 0 && some.size() < 16) some.emplace_back(place, key);
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto value = (*rows)->Read(i);
      if (!value || columns[i].type.id != records::TypeId::kUtf8) continue;
      const auto* const text = std::get_if<std::string_view>(&*value);
      SLUICE_CHECK(text == nullptr || records::ValidUtf8(*text));
    }
  }
  for (const auto& [place, key] : some) {
    (*rows)->Seek(place);
    SLUICE_CHECK(NextGood(**rows, *content, watch));
    std::string again;
    SLUICE_CHECK(keys.Read(again).ok() && again == key);
  }
}

inline void ReadEverything(const Format& format, const std::shared_ptr<const Content>& content) {
  const CallContext context;
  const auto parts = format.Parts(*content, {"t", ""}, Watch(context));
  if (!parts.ok()) return;
  if (parts->empty()) ReadTable(format, content, {"t", ""});
  for (size_t i = 0; i < parts->size() && i < 8; ++i)
    ReadTable(format, content, {"t", (*parts)[i]});
}

inline void ReadEverything(const Format& format, std::string bytes) {
  ReadEverything(format, std::make_shared<const MemoryContent>(std::move(bytes)));
}

}  // namespace sluice::adapters::files
