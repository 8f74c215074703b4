#include "adapters/dbf/code_pages.h"

#include <array>
#include <utility>

#include "gateway/base/error.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::dbf {
namespace {

// UTF-8 has no ICU name: it is only checked.
constexpr std::array kPages = {CodePage{"utf-8", nullptr},
                               CodePage{"gb18030", "gb18030"},
                               CodePage{"latin-1", "ISO-8859-1"},
                               CodePage{"cp437", "ibm-437_P100-1995"},
                               CodePage{"cp737", "ibm-737_P100-1997"},
                               CodePage{"cp775", "ibm-775_P100-1996"},
                               CodePage{"cp850", "ibm-850_P100-1995"},
                               CodePage{"cp852", "ibm-852_P100-1995"},
                               CodePage{"cp857", "ibm-857_P100-1995"},
                               CodePage{"cp858", "ibm-858_P100-1997"},
                               CodePage{"cp860", "ibm-860_P100-1995"},
                               CodePage{"cp861", "ibm-861_P100-1995"},
                               CodePage{"cp862", "ibm-862_P100-1995"},
                               CodePage{"cp863", "ibm-863_P100-1995"},
                               CodePage{"cp864", "ibm-864_X110-1999"},
                               CodePage{"cp865", "ibm-865_P100-1995"},
                               CodePage{"cp866", "ibm-866_P100-1995"},
                               CodePage{"cp869", "ibm-869_P100-1995"},
                               CodePage{"cp874", "windows-874-2000"},
                               CodePage{"cp932", "ibm-943_P15A-2003"},
                               CodePage{"cp936", "windows-936-2000"},
                               CodePage{"cp949", "windows-949-2000"},
                               CodePage{"cp950", "windows-950-2000"},
                               CodePage{"cp1250", "windows-1250"},
                               CodePage{"cp1251", "windows-1251"},
                               CodePage{"cp1252", "windows-1252"},
                               CodePage{"cp1253", "windows-1253"},
                               CodePage{"cp1254", "windows-1254"},
                               CodePage{"cp1255", "windows-1255"},
                               CodePage{"cp1256", "windows-1256"},
                               CodePage{"cp1257", "windows-1257"},
                               CodePage{"cp1258", "windows-1258"},
                               CodePage{"mac-roman", "macintosh"},
                               CodePage{"mac-cyrillic", "x-mac-cyrillic"},
                               CodePage{"mac-greek", "x-mac-greek"},
                               CodePage{"mac-latin2", "x-mac-centraleurroman"}};

// As dBase and Visual FoxPro number them.
struct Driver {
  uint8_t byte;
  std::string_view page;
};
constexpr std::array kDrivers = {
    Driver{0x01, "cp437"},        Driver{0x02, "cp850"},      Driver{0x03, "cp1252"},
    Driver{0x04, "mac-roman"},    Driver{0x08, "cp865"},      Driver{0x09, "cp437"},
    Driver{0x0A, "cp850"},        Driver{0x0B, "cp437"},      Driver{0x0D, "cp437"},
    Driver{0x0E, "cp850"},        Driver{0x0F, "cp437"},      Driver{0x10, "cp850"},
    Driver{0x11, "cp437"},        Driver{0x12, "cp850"},      Driver{0x13, "cp932"},
    Driver{0x14, "cp850"},        Driver{0x15, "cp437"},      Driver{0x16, "cp850"},
    Driver{0x17, "cp865"},        Driver{0x18, "cp437"},      Driver{0x19, "cp437"},
    Driver{0x1A, "cp850"},        Driver{0x1B, "cp437"},      Driver{0x1C, "cp863"},
    Driver{0x1D, "cp850"},        Driver{0x1F, "cp852"},      Driver{0x22, "cp852"},
    Driver{0x23, "cp852"},        Driver{0x24, "cp860"},      Driver{0x25, "cp850"},
    Driver{0x26, "cp866"},        Driver{0x37, "cp850"},      Driver{0x40, "cp852"},
    Driver{0x4D, "cp936"},        Driver{0x4E, "cp949"},      Driver{0x4F, "cp950"},
    Driver{0x50, "cp874"},        Driver{0x57, "cp1252"},     Driver{0x58, "cp1252"},
    Driver{0x59, "cp1252"},       Driver{0x64, "cp852"},      Driver{0x65, "cp866"},
    Driver{0x66, "cp865"},        Driver{0x67, "cp861"},      Driver{0x6A, "cp737"},
    Driver{0x6B, "cp857"},        Driver{0x6C, "cp863"},      Driver{0x78, "cp950"},
    Driver{0x79, "cp949"},        Driver{0x7A, "cp936"},      Driver{0x7B, "cp932"},
    Driver{0x7C, "cp874"},        Driver{0x7D, "cp1255"},     Driver{0x7E, "cp1256"},
    Driver{0x86, "cp737"},        Driver{0x87, "cp852"},      Driver{0x88, "cp857"},
    Driver{0x96, "mac-cyrillic"}, Driver{0x97, "mac-latin2"}, Driver{0x98, "mac-greek"},
    Driver{0xC8, "cp1250"},       Driver{0xC9, "cp1251"},     Driver{0xCA, "cp1254"},
    Driver{0xCB, "cp1253"},       Driver{0xCC, "cp1257"}};

}  // namespace

const CodePage* CodePageOfDriver(uint8_t language_driver) {
  for (const Driver& driver : kDrivers)
    if (driver.byte == language_driver) return CodePageNamed(driver.page);
  return nullptr;
}

const CodePage* CodePageNamed(std::string_view name) {
  if (name == "gbk") return CodePageNamed("cp936");
  if (name == "big5") return CodePageNamed("cp950");
  for (const CodePage& page : kPages)
    if (page.name == name) return &page;
  return nullptr;
}

std::string CodePageNames() {
  std::string names = "gbk, big5";
  for (const CodePage& page : kPages) names.append(", ").append(page.name);
  return names;
}

absl::StatusOr<TextDecoder> TextDecoder::Make(const CodePage* page) {
  if (page == nullptr) return TextDecoder(std::nullopt);
  auto decoder = page->icu == nullptr ? files::Decoder::Make(files::Encoding::kUtf8)
                                      : files::Decoder::OfTable(page->icu);
  SLUICE_RETURN_IF_ERROR(decoder.status());
  return TextDecoder(std::optional<files::Decoder>(*std::move(decoder)));
}

std::optional<std::string_view> TextDecoder::Decode(std::string_view raw, std::string& scratch) {
  if (decoder_) return decoder_->Decode(raw, scratch);
  if (!records::IsAscii(raw)) return std::nullopt;
  return raw;
}

const char* TextDecoder::why() const {
  return decoder_ ? "bytes that mean nothing in the table's code page"
                  : "bytes beyond ASCII, and the table's header names no code page that is known: "
                    "the setting encoding says it";
}

}  // namespace sluice::adapters::dbf
