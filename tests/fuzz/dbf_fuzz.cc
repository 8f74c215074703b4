// A table of any bytes and a memo file of any bytes: the first byte chooses settings, two more how
// much of the rest is the table. Its columns, every record as every type, every key.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "adapters/dbf/dbf_adapter.h"
#include "tests/fuzz/format_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::adapters;
  constexpr size_t kChoices = 3;
  if (size < kChoices || size > 1 << 20) return 0;
  dbf::DbfSettings settings;
  settings.missing_memos_are_null = true;
  settings.refuses_deleted = (data[0] & 1) != 0;
  settings.blank_is_null = (data[0] & 2) != 0;
  settings.reads_short = (data[0] & 4) != 0;
  settings.reads_rest = (data[0] & 8) != 0;
  settings.most_memo_bytes = 4'096;
  if ((data[0] & 16) != 0) settings.page = dbf::CodePageNamed("utf-8");
  if ((data[0] & 32) != 0) settings.page = dbf::CodePageNamed("cp932");
  const std::string bytes(reinterpret_cast<const char*>(data) + kChoices, size - kChoices);
  const size_t cut = std::min<size_t>(data[1] | data[2] << 8, bytes.size());
  std::shared_ptr<const files::Content> memos;
  if ((data[0] & 64) == 0) memos = std::make_shared<files::MemoryContent>(bytes.substr(cut));
  files::ReadEverything(*dbf::MakeFormat(settings),
                        std::make_shared<files::MemoryContent>(bytes.substr(0, cut), memos));
  return 0;
}
