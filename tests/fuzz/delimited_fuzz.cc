// A delimited file of any bytes, in any dialect: the first four bytes choose the dialect, the rest
// is the file. Its header, every row as every type, every key.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/delimited/layout.h"
#include "adapters/delimited/record_stream.h"
#include "adapters/delimited/row.h"
#include "gateway/base/check.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::delimited {
namespace {

constexpr size_t kChoices = 4;
constexpr size_t kMostBytes = 1 << 20;

DelimitedSettings SettingsFor(const uint8_t* choices) {
  DelimitedSettings settings;
  Dialect& dialect = settings.dialect;
  dialect.encoding = static_cast<Encoding>(choices[0] % 7);
  dialect.line_ends = static_cast<LineEnds>(choices[1] % 5);
  dialect.separator = std::string_view(",;\t|")[choices[1] / 5 % 4];
  if (choices[1] / 20 % 3 == 1) dialect.quote = '\'';
  if (choices[1] / 20 % 3 == 2) dialect.quote.reset();
  dialect.backslash = (choices[2] & 1) != 0;
  dialect.stray_quotes = (choices[2] & 2) != 0;
  dialect.quoted_line_ends = (choices[2] & 4) == 0;
  dialect.needs_last_line_end = (choices[2] & 8) != 0;
  dialect.drops_trailing_separator = (choices[2] & 16) != 0;
  dialect.skips_blank_lines = (choices[2] & 32) != 0;
  dialect.header = (choices[2] & 64) == 0;
  dialect.skip_lines = choices[3] % 3;
  dialect.most_row_bytes = 4'096;
  settings.nulls.words = {"NULL", "\\N"};
  return settings;
}

std::shared_ptr<const SourceFile> FileOf(std::string_view bytes) {
  const int fd = memfd_create("delimited", MFD_CLOEXEC);
  SLUICE_CHECK(fd >= 0);
  SLUICE_CHECK(write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return std::make_shared<const SourceFile>(fd, Stamp{.size = static_cast<int64_t>(bytes.size())});
}

std::vector<FieldRequest> FieldsOf(const Layout& layout) {
  using records::TypeId;
  static const records::DataType kTypes[] = {
      {TypeId::kUtf8},    {TypeId::kInt64},     {TypeId::kDecimal128, 12, 2},
      {TypeId::kFloat64}, {TypeId::kTimestamp}, {TypeId::kBool},
      {TypeId::kDate32},  {TypeId::kBinary}};
  std::vector<FieldRequest> fields;
  for (size_t i = 0; i < layout.columns.size() && i < 64; ++i)
    if (layout.Find("t", layout.columns[i]).ok())
      fields.push_back({layout.columns[i], {"f", kTypes[i % 8]}});
  return fields;
}

void ReadFile(std::string_view bytes, std::shared_ptr<const DelimitedSettings> settings) {
  const CallContext context;
  const Watch watch(context);
  const auto file = FileOf(bytes);
  const auto layout = ReadLayout(file, *settings, "t", watch);
  if (!layout.ok()) return;
  const auto fields = FieldsOf(*layout);
  if (fields.empty()) return;
  auto row = Row::Make(settings, *layout, "t", fields, {0});
  SLUICE_CHECK(row.ok());
  RecordStream stream(file, settings->dialect, "t");
  stream.Seek(layout->rows);
  Place last = layout->rows;
  for (auto any = stream.Next(watch); any.ok() && *any; any = stream.Next(watch)) {
    SLUICE_CHECK(stream.place().offset >= last.offset && stream.place().line >= last.line);
    SLUICE_CHECK(stream.NextPlace().offset <= static_cast<int64_t>(bytes.size()));
    last = stream.NextPlace();
    if (!(*row)->Check(stream).ok()) break;
    std::string key;
    (void)(*row)->Key(stream, key);
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto value = (*row)->Read(stream, i);
      if (!value || fields[i].field.type.id != records::TypeId::kUtf8) continue;
      const auto* const text = std::get_if<std::string_view>(&*value);
      SLUICE_CHECK(text == nullptr || records::ValidUtf8(*text));
    }
  }
}

}  // namespace
}  // namespace sluice::adapters::delimited

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::adapters::delimited;
  if (size < kChoices || size > kMostBytes) return 0;
  ReadFile({reinterpret_cast<const char*>(data) + kChoices, size - kChoices},
           std::make_shared<const DelimitedSettings>(SettingsFor(data)));
  return 0;
}
