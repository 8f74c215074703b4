#include "adapters/xlsx/row_record.h"

#include <algorithm>
#include <cstring>

namespace sluice::adapters::xlsx {
namespace {

constexpr size_t kCellHead = 7;

template <class T>
void AppendNative(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <class T>
T NativeAt(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

}  // namespace

void AppendRecord(int64_t number, const std::vector<Cell>& cells, size_t count, size_t width,
                  std::string& out) {
  const size_t begin = out.size();
  AppendNative(uint32_t{0}, out);
  AppendNative(static_cast<uint32_t>(number), out);
  uint32_t before = 0;
  for (size_t i = 0; i < count && cells[i].column < width; ++i) {
    const Cell& cell = cells[i];
    AppendNative(static_cast<uint16_t>(cell.column - before), out);
    out.push_back(static_cast<char>(cell.kind));
    AppendNative(static_cast<uint32_t>(cell.value.size()), out);
    out += cell.value;
    before = cell.column;
  }
  const auto size = static_cast<uint32_t>(out.size() - begin - sizeof(uint32_t));
  std::memcpy(out.data() + begin, &size, sizeof(size));
}

size_t RecordSize(std::string_view head) { return NativeAt<uint32_t>(head, 0) + sizeof(uint32_t); }
int64_t RecordNumber(std::string_view head) { return NativeAt<uint32_t>(head, 4); }

bool ReadRecord(std::string_view record, std::vector<CellView>& cells) {
  std::fill(cells.begin(), cells.end(), CellView());
  size_t column = 0;
  for (size_t at = kRecordHead; at < record.size();) {
    if (record.size() - at < kCellHead) return false;
    column += NativeAt<uint16_t>(record, at);
    const auto kind = static_cast<uint8_t>(record[at + 2]);
    const size_t size = NativeAt<uint32_t>(record, at + 3);
    at += kCellHead;
    if (kind >= kCellKinds || size > record.size() - at) return false;
    if (column < cells.size())
      cells[column] = {static_cast<CellKind>(kind), record.substr(at, size)};
    at += size;
  }
  return true;
}

}  // namespace sluice::adapters::xlsx
