#include "adapters/files/files_testing.h"

#include <stdlib.h>
#include <unicode/ucnv.h>
#include <unicode/ustring.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gtest/gtest.h"

namespace sluice::adapters::files {
namespace {

const char* IcuName(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf8:
      return "UTF-8";
    case Encoding::kGb18030:
      return "gb18030";
    case Encoding::kGbk:
      return "GBK";
    case Encoding::kBig5:
      return "Big5";
    case Encoding::kLatin1:
      return "ISO-8859-1";
    case Encoding::kUtf16Le:
      return "UTF-16LE";
    case Encoding::kUtf16Be:
      return "UTF-16BE";
  }
  return "";
}

}  // namespace

TestFolder::TestFolder() {
  std::string name = testing::TempDir() + "sluice-delimited-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no folder for the test";
  path_ = name;
}

TestFolder::~TestFolder() { Remove(); }

void TestFolder::Remove() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TestFolder::Write(std::string_view name, std::string_view bytes) const {
  WriteInPlace(".arriving", bytes);
  std::filesystem::rename(PathOf(".arriving"), PathOf(name));
}

void TestFolder::WriteInPlace(std::string_view name, std::string_view bytes) const {
  std::ofstream file(PathOf(name), std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  EXPECT_TRUE(file.good()) << name;
}

std::string TestFolder::Read(std::string_view name) const {
  std::ifstream file(PathOf(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> TestFolder::Names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_))
    names.push_back(entry.path().filename());
  return names;
}

std::string OpenFilesUnder(const std::string& folder) {
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(entry.path(), error);
    if (error || !target.starts_with(folder + "/")) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    bytes.append(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return bytes;
}

std::string Encoded(std::string_view utf8, Encoding encoding) {
  if (encoding == Encoding::kUtf8) return std::string(utf8);
  UErrorCode error = U_ZERO_ERROR;
  std::vector<char16_t> units(utf8.size() + 1);
  int32_t count = 0;
  u_strFromUTF8(units.data(), static_cast<int32_t>(units.size()), &count, utf8.data(),
                static_cast<int32_t>(utf8.size()), &error);
  UConverter* const converter = ucnv_open(IcuName(encoding), &error);
  ucnv_setFromUCallBack(converter, UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  std::string bytes(static_cast<size_t>(count) * 4 + 8, '\0');
  const int32_t size = ucnv_fromUChars(converter, bytes.data(), static_cast<int32_t>(bytes.size()),
                                       units.data(), count, &error);
  ucnv_close(converter);
  EXPECT_TRUE(U_SUCCESS(error)) << u_errorName(error);
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

std::string Shown(const records::Column& column, int64_t row) {
  using records::TypeId;
  if (column.IsNull(row)) return "∅";
  switch (column.type().id) {
    case TypeId::kBool:
      return column.Bool(row) ? "true" : "false";
    case TypeId::kInt64:
      return absl::StrCat(column.Int64(row));
    case TypeId::kFloat64:
      return absl::StrCat(column.Float64(row));
    case TypeId::kDecimal128:
      return records::FormatDecimal(column.Decimal(row), column.type().scale);
    case TypeId::kDate32:
      return records::FormatDate(column.Date32(row));
    case TypeId::kTimestamp:
      return records::FormatTimestamp(column.Int64(row), column.type().utc);
    case TypeId::kUtf8:
      return std::string(column.Bytes(row));
    case TypeId::kBinary:
      return HexEncode(column.Bytes(row));
  }
  return "";
}

Scanned ScanShown(Adapter& adapter, const ScanRequest& request) {
  static const auto& clock = *new auto(MakeSystemClock());
  Scanned scanned;
  auto reader = adapter.Scan(request, {clock.get(), 0, nullptr});
  scanned.status = reader.status();
  while (scanned.status.ok()) {
    const auto batch = (*reader)->Next();
    scanned.status = batch.status();
    scanned.version = (*reader)->version();
    scanned.bad_values = (*reader)->bad_values();
    if (!batch.ok() || !batch->has_value()) break;
    for (int64_t row = 0; row < (*batch)->rows(); ++row) {
      std::vector<std::string> values;
      for (const records::Column& column : (*batch)->columns())
        values.push_back(Shown(column, row));
      scanned.rows.push_back(absl::StrJoin(values, "|"));
    }
  }
  return scanned;
}

}  // namespace sluice::adapters::files
