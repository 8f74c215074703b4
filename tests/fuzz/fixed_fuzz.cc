// A fixed-width file of any bytes, however it is said to be read: the first four bytes choose, the
// rest is the file.
#include <cstdint>
#include <string>

#include "adapters/fixed/fixed_adapter.h"
#include "tests/fuzz/format_fuzz.h"

namespace sluice::adapters::fixed {
namespace {

constexpr size_t kChoices = 4;
constexpr size_t kMostBytes = 1 << 20;

FixedSettings SettingsOf(const uint8_t* choices) {
  FixedSettings settings;
  static const char* const kPages[] = {"cp037", "ibm-1388", "shift_jis", "windows-1252", "cp949"};
  constexpr RecordEnd kEnds[] = {RecordEnd::kLfOrCrLf, RecordEnd::kLf, RecordEnd::kCrLf,
                                 RecordEnd::kNone, RecordEnd::kNel};
  settings.encoding = static_cast<files::Encoding>(choices[0] % 7);
  if (choices[0] >= 128) settings.page = *files::CodePage::Of(kPages[choices[0] % 5]);
  settings.record_end = kEnds[choices[1] % (settings.ebcdic() ? 5 : 4)];
  bool may_count = settings.record_end != RecordEnd::kNone || settings.unit() == 2;
  if (settings.page != nullptr && settings.page->shifts()) may_count = false;
  settings.counts_characters = may_count && (choices[1] & 16) != 0;
  settings.needs_last_record_end = (choices[2] & 1) != 0;
  settings.pads_short_records = (choices[2] & 2) != 0;
  settings.trims_left = (choices[2] & 4) != 0;
  settings.trims_right = (choices[2] & 8) != 0;
  settings.blank_is_null = (choices[2] & 16) != 0;
  if ((choices[2] & 32) != 0) settings.pad = '0';
  settings.skip_lines = choices[3] % 3;
  if ((choices[3] & 16) != 0) settings.field_rules["leading_zeros"] = "drop";
  if ((choices[3] & 32) != 0) settings.field_rules["implied_decimals"] = "2";
  settings.null_words = {"N"};
  settings.layouts[""] = *ParseLayout("a:4,-:1,b:3,c:1-6,d:2,e:7-9,f:4,g:1,h:3-9");
  return settings;
}

}  // namespace
}  // namespace sluice::adapters::fixed

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::adapters::fixed;
  if (size < kChoices || size > kMostBytes) return 0;
  sluice::adapters::files::ReadEverything(
      *MakeFixedFormat(SettingsOf(data)),
      std::string(reinterpret_cast<const char*>(data) + kChoices, size - kChoices));
  return 0;
}
