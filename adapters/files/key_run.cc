#include "adapters/files/key_run.h"

#include <cstring>

#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

// A block: the number of its entries, then of each the key's size, its place, the key.
constexpr size_t kBlockHead = sizeof(uint32_t);
constexpr size_t kEntryHead = sizeof(uint16_t) + 2 * sizeof(int64_t) + sizeof(int32_t);
template <class T>
void Put(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <class T>
T Get(std::string_view& bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  bytes.remove_prefix(sizeof(value));
  return value;
}

}  // namespace

absl::StatusOr<bool> KeyRunReader::Next() {
  while (left_ == 0) {
    if (next_ == end_) return false;
    SLUICE_ASSIGN_OR_RETURN(block_, scratch_->Read(next_++));
    rest_ = block_;
    left_ = Get<uint32_t>(rest_);
  }
  --left_;
  const auto size = Get<uint16_t>(rest_);
  entry_.place.offset = Get<int64_t>(rest_);
  entry_.place.number = Get<int64_t>(rest_);
  entry_.place.part = Get<int32_t>(rest_);
  entry_.key = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

KeyRunWriter::KeyRunWriter(Scratch& scratch, std::string_view table, const char* counted,
                           Marks* marks)
    : scratch_(scratch),
      table_(table),
      counted_(counted),
      marks_(marks),
      run_{scratch.blocks(), 0} {
  Begin();
}

absl::Status KeyRunWriter::Add(const KeyEntry& entry) {
  if (any_ && entry.key == last_key_)
    return RepeatedKey(table_, counted_, last_place_, entry.place);
  if (block_.size() + kEntryHead + entry.key.size() > scratch_.block_bytes())
    SLUICE_RETURN_IF_ERROR(Flush());
  if (count_ == 0 && marks_ != nullptr) marks_->Offer(entry.key, {scratch_.blocks(), 0});
  Put(static_cast<uint16_t>(entry.key.size()), block_);
  Put(entry.place.offset, block_);
  Put(entry.place.number, block_);
  Put(entry.place.part, block_);
  block_ += entry.key;
  ++count_;
  any_ = true;
  last_key_ = entry.key;
  last_place_ = entry.place;
  return absl::OkStatus();
}

absl::StatusOr<KeyRun> KeyRunWriter::Close() {
  if (count_ > 0) SLUICE_RETURN_IF_ERROR(Flush());
  return run_;
}

void KeyRunWriter::Begin() {
  block_.assign(kBlockHead, '\0');
  count_ = 0;
}

absl::Status KeyRunWriter::Flush() {
  std::memcpy(block_.data(), &count_, sizeof(count_));
  block_.resize(scratch_.block_bytes(), '\0');
  SLUICE_RETURN_IF_ERROR(scratch_.Append(block_).status());
  ++run_.blocks;
  Begin();
  return absl::OkStatus();
}

}  // namespace sluice::adapters::files
