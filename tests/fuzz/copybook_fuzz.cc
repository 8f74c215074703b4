// A copybook of any text and a file of any bytes, in any record format: the first eight bytes
// choose settings, then comes the copybook up to a NUL, the rest is the file. Its columns, every
// row as every type, every key.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/copybook/copybook_adapter.h"
#include "tests/fuzz/format_fuzz.h"

namespace sluice::adapters::copybook {
namespace {

constexpr size_t kChoices = 8;
constexpr size_t kMostBytes = 1 << 20;

std::shared_ptr<const files::CodePage> PageFor(uint8_t choice) {
  static const auto* const pages = new std::array<std::shared_ptr<const files::CodePage>, 6>{
      *files::CodePage::Of("cp037"),   *files::CodePage::Of("us-ascii"),
      *files::CodePage::Of("ibm-935"), *files::CodePage::Of("gb18030"),
      *files::CodePage::Of("utf-8"),   *files::CodePage::Of("cp273")};
  return (*pages)[choice % pages->size()];
}

DescriptorWord WordFor(uint8_t choice) {
  DescriptorWord word;
  word.little = (choice & 1) != 0;
  word.counts_itself = (choice & 2) == 0;
  word.adjustment = (choice & 4) != 0 ? choice >> 4 : 0;
  return word;
}

CopybookSettings SettingsFor(const uint8_t* choices) {
  CopybookSettings settings;
  settings.page = PageFor(choices[0]);
  settings.reference_format =
      (choices[0] & 0x80) != 0 ? ReferenceFormat::kFixed : ReferenceFormat::kFree;
  RecordSettings& records = settings.records;
  records.format = static_cast<RecordFormat>(choices[1] % 7);
  records.rdw = WordFor(choices[2]);
  records.bdw = WordFor(choices[3]);
  records.needs_last_line_end = (choices[1] & 0x80) != 0;
  records.cuts_long = (choices[4] & 1) != 0;
  if ((choices[4] & 2) != 0) records.short_is_null = (choices[4] & 4) != 0;
  records.record_start = choices[4] >> 3 & 3;
  records.file_start = choices[4] >> 5 & 3;
  if (records.format == RecordFormat::kFixed) records.skip_records = choices[4] >> 7;
  records.length_field = "L";
  settings.variable_occurs = (choices[5] & 1) == 0;
  settings.comp_little = (choices[5] & 2) != 0;
  settings.small_binaries = (choices[5] & 4) != 0;
  settings.limited_binaries = (choices[5] & 8) != 0;
  settings.floats = static_cast<FloatForm>(choices[5] / 16 % 3);
  settings.relaxed = (choices[6] & 1) != 0;
  settings.edited_numbers = (choices[6] & 2) != 0;
  settings.trim = static_cast<Trim>(choices[6] / 4 % 4);
  settings.low_values_null = (choices[6] & 16) != 0;
  settings.blank_numbers_null = (choices[6] & 32) != 0;
  settings.fillers = (choices[6] & 64) != 0;
  settings.qualified = (choices[6] & 128) != 0;
  if ((choices[7] & 1) != 0) settings.by_table["rows"] = "T";
  if ((choices[7] & 2) != 0) settings.by_table["occurs"] = "columns";
  if ((choices[7] & 4) != 0) settings.null_if["A"] = {"L", {"1", "x"}};
  if ((choices[7] & 8) != 0) settings.length_of["A"] = "L";
  if ((choices[7] & 16) != 0) settings.redefines["B"] = {"L", {"2"}};
  if ((choices[7] & 32) != 0) {
    settings.segment_field = "S";
    settings.segments = {{"one", {"1", "A"}, ""},
                         {"two", {"2"}, (choices[7] & 64) != 0 ? "B" : ""}};
    settings.skips_other_segments = (choices[7] & 128) != 0;
  }
  if ((choices[1] & 64) != 0) settings.group_texts = {"T"};
  settings.record_number = "NR";
  return settings;
}

}  // namespace
}  // namespace sluice::adapters::copybook

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::adapters::copybook;
  if (size < kChoices || size > kMostBytes) return 0;
  CopybookSettings settings = SettingsFor(data);
  const std::string_view rest(reinterpret_cast<const char*>(data) + kChoices, size - kChoices);
  const size_t end = rest.find('\0');
  const auto copybook = ReadCopybooks({std::string(rest.substr(0, end))}, settings.reference_format,
                                      OptionsOf(settings));
  if (!copybook.ok()) return 0;
  // What a record may hold is the copybook's choice; here it is small.
  if ((*copybook)->shape->most() > 1 << 16) return 0;
  const std::string bytes(end == rest.npos ? std::string_view() : rest.substr(end + 1));
  sluice::adapters::files::ReadEverything(*MakeFormat(std::move(settings), *copybook), bytes);
  return 0;
}
