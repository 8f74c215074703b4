#include "adapters/dbf/header.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::dbf {
namespace {

using records::TypeId;

constexpr size_t kHeaderRead = 4 << 10;  // most headers are shorter
constexpr uint8_t kFoxBase = 0x02;
constexpr uint8_t kVisualFoxPro = 0x30;  // to 0x32
constexpr uint8_t kSystem = 0x01, kNullable = 0x02, kBinary = 0x04;

uint32_t Little(std::string_view bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = count; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

bool Visual(uint8_t version) { return version >= kVisualFoxPro && version <= 0x32; }
bool Level7(uint8_t version) { return !Visual(version) && (version & 0x07) == 4; }

// How a dialect lays its header out.
struct Frame {
  size_t fields;      // where descriptors begin
  size_t descriptor;  // bytes of one
  size_t name;        // bytes of its name
  size_t type, length, decimals;
};
constexpr Frame kFrame2 = {8, 16, 11, 11, 12, 15};
constexpr Frame kFrame3 = {32, 32, 11, 11, 16, 17};
constexpr Frame kFrame7 = {68, 48, 32, 32, 33, 34};

const Frame& FrameOf(uint8_t version) {
  if (version == kFoxBase) return kFrame2;
  return Level7(version) ? kFrame7 : kFrame3;
}

bool Known(uint8_t version) {
  switch (version) {
    case 0x02:  // dBase II, FoxBase
    case 0x03:  // dBase III, FoxBase+, FoxPro 2
    case 0x04:  // dBase 7
    case 0x05:  // dBase 5
    case 0x07:  // Visual Objects
    case 0x30:
    case 0x31:
    case 0x32:
    case 0x43:
    case 0x63:
    case 0x7B:
    case 0x83:
    case 0x87:
    case 0x8B:
    case 0x8C:
    case 0x8E:
    case 0xCB:
    case 0xF5:
    case 0xFB:
      return true;
    default:
      return false;
  }
}

// In dBase III the byte means something else.
bool TellsEncryption(uint8_t version) {
  return Level7(version) || version == 0x05 || version == 0x43 || version == 0x63 ||
         version == 0x7B || version == 0x8B || version == 0x8E || version == 0xCB;
}

std::string_view NameIn(std::string_view bytes) {
  bytes = bytes.substr(0, bytes.find('\0'));
  while (bytes.ends_with(' ')) bytes.remove_suffix(1);
  return bytes;
}

FieldKind MemoKind(uint8_t flags) {
  return (flags & kBinary) != 0 ? FieldKind::kMemoBytes : FieldKind::kMemoText;
}

FieldKind KindOf(uint8_t version, const Column& column, uint8_t flags) {
  const size_t length = column.length;
  const bool visual = Visual(version), memo = length == 4 || length == 10;
  switch (column.type) {
    case 'C':
      return visual && (flags & kBinary) != 0 ? FieldKind::kBytes : FieldKind::kText;
    case 'N':
    case 'F':
      return FieldKind::kNumber;
    case 'D':
      if (length == 8) return FieldKind::kDate;
      break;
    case 'L':
      if (length == 1) return FieldKind::kLogical;
      break;
    case 'M':
      if (memo) return visual ? MemoKind(flags) : FieldKind::kMemoText;
      break;
    case 'B':
      if (visual && length == 8) return FieldKind::kDouble;
      if (memo) return FieldKind::kMemoBytes;
      break;
    case 'G':
    case 'P':
    case 'W':
      if (memo) return FieldKind::kMemoBytes;
      break;
    case 'I':
    case '+':
      if (length == 4) return Level7(version) ? FieldKind::kInt32Lifted : FieldKind::kInt32;
      break;
    case 'Y':
      if (length == 8) return FieldKind::kCurrency;
      break;
    case 'T':
      if (length == 8) return FieldKind::kDateTime;
      break;
    case '@':
      if (length == 8 && !Level7(version)) return FieldKind::kDateTime;
      break;
    case 'O':
      if (length == 8) return Level7(version) ? FieldKind::kDoubleLifted : FieldKind::kDouble;
      break;
    case 'V':
      return FieldKind::kVarchar;
    case 'Q':
      return FieldKind::kVarbinary;
    default:
      break;
  }
  return FieldKind::kBytes;
}

bool Taken(const std::vector<Column>& columns, std::string_view name) {
  return std::any_of(columns.begin(), columns.end(), [&](const Column& column) {
    return column.name.size() == name.size() &&
           absl::EqualsIgnoreCase(column.name, {name.data(), name.size()});
  });
}

// What stands in the header, as the columns are found in it.
struct Descriptor {
  Column column;
  uint8_t flags = 0;
  bool hidden = false;
};

class HeaderReader {
 public:
  HeaderReader(const files::Content& content, const std::string& table, const CodePage* page)
      : content_(content), table_(table), said_(page) {}

  absl::StatusOr<Header> Read() {
    SLUICE_RETURN_IF_ERROR(ReadFrame());
    SLUICE_RETURN_IF_ERROR(ReadDescriptors());
    SLUICE_RETURN_IF_ERROR(PlaceFields());
    SLUICE_RETURN_IF_ERROR(NameColumns());
    return std::move(header_);
  }

 private:
  absl::Status Bad(std::string_view what) const { return files::BadFile(table_, what); }

  absl::Status ReadStart(size_t count) {
    bytes_.resize(count);
    size_t read = 0;
    SLUICE_RETURN_IF_ERROR(content_.Read(0, count, bytes_.data(), &read));
    bytes_.resize(read);
    return absl::OkStatus();
  }

  absl::Status ReadFrame() {
    SLUICE_RETURN_IF_ERROR(ReadStart(kHeaderRead));
    const size_t read = bytes_.size();
    if (read < 8) return Bad("the file is too short for the header of a dBase or FoxPro table");
    header_.version = static_cast<uint8_t>(bytes_[0]);
    if (!Known(header_.version))
      return Bad("the first byte is not that of a dBase or FoxPro table");
    if (header_.version == kFoxBase) {
      header_.records = Little(bytes_, 1, 2);
      header_.record_length = Little(bytes_, 6, 2);
      header_.length = 521;
    } else {
      if (read < 32) return Bad("the file is too short for the header of a dBase or FoxPro table");
      header_.records = Little(bytes_, 4, 4);
      header_.length = Little(bytes_, 8, 2);
      header_.record_length = Little(bytes_, 10, 2);
      header_.page = CodePageOfDriver(static_cast<uint8_t>(bytes_[29]));
      if (TellsEncryption(header_.version) && bytes_[15] != 0)
        return Bad("the header says that the table is encrypted");
    }
    if (said_ != nullptr) header_.page = said_;
    if (header_.length > content_.size()) return Bad("the file ends inside of its header");
    if (header_.length > static_cast<int64_t>(read)) {
      SLUICE_RETURN_IF_ERROR(ReadStart(static_cast<size_t>(header_.length)));
    }
    bytes_.resize(static_cast<size_t>(header_.length));
    return absl::OkStatus();
  }

  absl::Status ReadDescriptors() {
    const Frame& frame = FrameOf(header_.version);
    size_t at = frame.fields;
    for (; at < bytes_.size() && bytes_[at] != '\r'; at += frame.descriptor) {
      if (bytes_.size() - at < frame.descriptor)
        return Bad("the header ends inside of the description of a column");
      if (descriptors_.size() == kMostColumns) return Bad("over 4096 columns, which is the most");
      const std::string_view bytes = std::string_view(bytes_).substr(at, frame.descriptor);
      if (bytes[0] == '\0' && bytes[frame.type] == '\0') break;
      Descriptor& one = descriptors_.emplace_back();
      one.column.name = NameIn(bytes.substr(0, frame.name));
      one.column.type = bytes[frame.type];
      one.column.length = static_cast<uint8_t>(bytes[frame.length]);
      one.column.decimals = static_cast<uint8_t>(bytes[frame.decimals]);
      if (Visual(header_.version)) one.flags = static_cast<uint8_t>(bytes[18]);
      one.hidden = one.column.type == '0' && (one.flags & kSystem) != 0;
    }
    if (descriptors_.empty()) return Bad("the header describes no column");
    return absl::OkStatus();
  }

  size_t Sum() const {
    size_t sum = 1;
    for (const Descriptor& one : descriptors_) sum += one.column.length;
    return sum;
  }

  // Clipper and FoxPro write the length of a long text over two bytes, the second of which is the
  // one of decimals.
  void TakeLongTexts() {
    if (Sum() == header_.record_length) return;
    std::vector<Descriptor> longer = descriptors_;
    for (Descriptor& one : longer) {
      if (one.column.type != 'C') continue;
      one.column.length += static_cast<size_t>(one.column.decimals) << 8;
      one.column.decimals = 0;
    }
    std::swap(longer, descriptors_);
    if (Sum() != header_.record_length) std::swap(longer, descriptors_);
  }

  absl::Status PlaceFields() {
    TakeLongTexts();
    if (Sum() != header_.record_length)
      return Bad(absl::StrCat("the header says that a record has ", header_.record_length,
                              " bytes, and its columns take ", Sum()));
    size_t offset = 1, bits = 0;
    for (Descriptor& one : descriptors_) {
      Column& column = one.column;
      column.offset = offset;
      offset += column.length;
      if (one.hidden) {
        header_.null_flags = column.offset;
        header_.null_flag_bytes = column.length;
        continue;
      }
      column.kind = KindOf(header_.version, column, one.flags);
      const bool varying =
          column.kind == FieldKind::kVarchar || column.kind == FieldKind::kVarbinary;
      if (varying && Visual(header_.version)) column.length_bit = bits++;
      if ((one.flags & kNullable) != 0) column.null_bit = bits++;
    }
    if (bits > header_.null_flag_bytes * 8)
      return Bad("the table has no flags, or too few, for its columns that may be null");
    return absl::OkStatus();
  }

  absl::Status NameColumns() {
    SLUICE_ASSIGN_OR_RETURN(TextDecoder decoder, TextDecoder::Make(header_.page));
    for (Descriptor& one : descriptors_) {
      if (one.hidden) continue;
      std::string scratch;
      const auto name = decoder.Decode(one.column.name, scratch);
      const size_t number = header_.columns.size() + 1;
      if (!name) return Bad(absl::StrCat("the name of column ", number, " has ", decoder.why()));
      std::string unique = name->empty() ? absl::StrCat("column", number) : std::string(*name);
      for (int i = 2; Taken(header_.columns, unique); ++i)
        unique = absl::StrCat(std::string(*name), "_", i);
      one.column.name = std::move(unique);
      header_.columns.push_back(std::move(one.column));
    }
    if (header_.columns.empty()) return Bad("the header describes no column");
    return absl::OkStatus();
  }

  const files::Content& content_;
  const std::string& table_;
  const CodePage* const said_;
  std::string bytes_;
  Header header_;
  std::vector<Descriptor> descriptors_;
};

}  // namespace

bool Header::has_memos() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const Column& column) { return column.memo(); });
}

bool Header::fox_pro() const { return Visual(version) || version == 0xF5 || version == 0xFB; }

absl::StatusOr<Header> ReadHeader(const files::Content& content, const std::string& table,
                                  const CodePage* page) {
  return HeaderReader(content, table, page).Read();
}

records::DataType TypeOf(const Column& column) {
  switch (column.kind) {
    case FieldKind::kText:
    case FieldKind::kVarchar:
    case FieldKind::kMemoText:
      return {TypeId::kUtf8};
    case FieldKind::kNumber: {
      if (column.decimals == 0 && column.length <= 18) return {TypeId::kInt64};
      const auto scale = static_cast<uint8_t>(std::min(column.decimals, 38));
      // A number of fewer decimals has a digit more in front.
      const size_t digits = std::max<size_t>(column.length, 1);
      return {TypeId::kDecimal128,
              std::max(scale, static_cast<uint8_t>(std::min<size_t>(digits, 38))), scale};
    }
    case FieldKind::kDate:
      return {TypeId::kDate32};
    case FieldKind::kLogical:
      return {TypeId::kBool};
    case FieldKind::kInt32:
    case FieldKind::kInt32Lifted:
      return {TypeId::kInt64};
    case FieldKind::kCurrency:
      return {TypeId::kDecimal128, 19, 4};
    case FieldKind::kDateTime:
      return {TypeId::kTimestamp};
    case FieldKind::kDouble:
    case FieldKind::kDoubleLifted:
      return {TypeId::kFloat64};
    case FieldKind::kMemoBytes:
    case FieldKind::kVarbinary:
    case FieldKind::kBytes:
      return {TypeId::kBinary};
  }
  return {TypeId::kBinary};
}

std::string SourceTypeOf(const Column& column) {
  const std::string type = column.type > ' ' && column.type < '\x7F'
                               ? std::string(1, column.type)
                               : absl::StrCat("0x", absl::Hex(static_cast<uint8_t>(column.type)));
  if (column.decimals == 0) return absl::StrCat(type, "(", column.length, ")");
  return absl::StrCat(type, "(", column.length, ",", column.decimals, ")");
}

}  // namespace sluice::adapters::dbf
