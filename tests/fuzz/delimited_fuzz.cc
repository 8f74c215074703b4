// A delimited file of any bytes, in any dialect: the first four bytes choose the dialect, the rest
// is the file. Its header, every row as every type, every key.
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/delimited/delimited_adapter.h"
#include "adapters/delimited/detect.h"
#include "tests/fuzz/format_fuzz.h"

namespace sluice::adapters::delimited {
namespace {

constexpr size_t kChoices = 4;
constexpr size_t kMostBytes = 1 << 20;

DelimitedSettings SettingsFor(const uint8_t* choices) {
  DelimitedSettings settings;
  Dialect& dialect = settings.dialect;
  dialect.encoding = static_cast<files::Encoding>(choices[0] % 7);
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

}  // namespace
}  // namespace sluice::adapters::delimited

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::adapters::delimited;
  if (size < kChoices || size > kMostBytes) return 0;
  const std::string_view file(reinterpret_cast<const char*>(data) + kChoices, size - kChoices);
  Detect(file.substr(0, 16 << 10), file.size() <= 16 << 10, SettingsFor(data));
  sluice::adapters::files::ReadEverything(*MakeFormat(SettingsFor(data)), std::string(file));
  return 0;
}
