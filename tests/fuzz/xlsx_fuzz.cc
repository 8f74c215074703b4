// Workbooks of any bytes. The first byte chooses: an archive of these bytes; or one that is whole,
// whose sheet, shared texts, formats and list of sheets are pieces of them, so that what reads XML
// is reached.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/xlsx/xlsx_adapter.h"
#include "tests/fuzz/format_fuzz.h"

namespace sluice::adapters::xlsx {
namespace {

std::string FuzzLittle(uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes.push_back(static_cast<char>(value));
    value >>= 8;
  }
  return bytes;
}

uint32_t FuzzCrc(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
  }
  return ~crc;
}

std::string FuzzArchive(const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string bytes, directory;
  for (const auto& [name, part] : parts) {
    const std::string size = FuzzLittle(part.size(), 4);
    const std::string same = FuzzLittle(0, 8) + FuzzLittle(FuzzCrc(part), 4) + size + size +
                             FuzzLittle(name.size(), 2) + FuzzLittle(0, 2);
    directory += "PK\1\2" + FuzzLittle(20, 2) + FuzzLittle(20, 2) + same + FuzzLittle(0, 10) +
                 FuzzLittle(bytes.size(), 4) + name;
    bytes += "PK\3\4" + FuzzLittle(20, 2) + same + name + part;
  }
  const std::string count = FuzzLittle(parts.size(), 2);
  return bytes + directory + "PK\5\6" + FuzzLittle(0, 4) + count + count +
         FuzzLittle(directory.size(), 4) + FuzzLittle(bytes.size(), 4) + FuzzLittle(0, 2);
}

const char* const kFuzzMain =
    " xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\""
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships\">";

std::string FuzzRelations(const std::vector<std::pair<std::string, std::string>>& targets_by_type) {
  std::string xml =
      "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">";
  for (const auto& [type, target] : targets_by_type)
    xml += "<Relationship Id=\"" + type + "\" Type=\"o/" + type + "\" Target=\"" + target + "\"/>";
  return xml + "</Relationships>";
}

// What is in the root element of each part: pieces of `bytes`, cut at byte FF.
std::string FuzzWorkbook(std::string_view bytes) {
  std::vector<std::string> pieces(4);
  for (std::string& piece : pieces) {
    const size_t end = std::min(bytes.find('\xFF'), bytes.size());
    piece = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  const auto part = [](const char* root, const std::string& inside) {
    return std::string("<") + root + kFuzzMain + inside + "</" + root + ">";
  };
  std::string sheets = "<sheets><sheet name=\"S\" r:id=\"worksheet\"/></sheets>";
  if (!pieces[3].empty()) sheets = pieces[3];
  return FuzzArchive(
      {{"_rels/.rels", FuzzRelations({{"officeDocument", "w"}})},
       {"_rels/w.rels",
        FuzzRelations({{"worksheet", "s"}, {"sharedStrings", "t"}, {"styles", "f"}})},
       {"w", part("workbook", sheets)},
       {"s", part("worksheet", pieces[0])},
       {"t", part("sst", pieces[1])},
       {"f", part("styleSheet", pieces[2])}});
}

}  // namespace
}  // namespace sluice::adapters::xlsx

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::adapters;
  if (size < 1 || size > 1 << 20) return 0;
  xlsx::XlsxSettings settings;
  settings.most_unpacked_bytes = 4 << 20;
  settings.most_row_bytes = 4'096;
  settings.skips_blank_rows = (data[0] & 1) != 0;
  settings.ignores_extra_cells = (data[0] & 2) != 0;
  if ((data[0] & 4) != 0) settings.places["header_rows"] = "3";
  if ((data[0] & 8) != 0) settings.places["sheet"] = "1";
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool whole = (data[0] & 16) != 0;
  files::ReadEverything(*xlsx::MakeFormat(settings), whole ? xlsx::FuzzWorkbook(bytes) : bytes);
  return 0;
}
