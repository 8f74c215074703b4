#include "adapters/dbf/memo.h"

#include <algorithm>

#include "gateway/base/error.h"

namespace sluice::adapters::dbf {
namespace {

constexpr int64_t kUsualBlock = 512;
constexpr size_t kPiece = 4 << 10;
constexpr const char* kBeyond = "a memo that stands beyond the end of the memo file";
constexpr const char* kTooLong = "a memo longer than most_memo_bytes";

uint32_t Big(const char* bytes, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

uint32_t LittleOf(const char* bytes, size_t count) {
  uint32_t value = 0;
  for (size_t i = count; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

}  // namespace

absl::StatusOr<MemoFile> MemoFile::Open(const files::Content& content, MemoForm form,
                                        int64_t most_bytes) {
  char header[22] = {};
  size_t read = 0;
  SLUICE_RETURN_IF_ERROR(content.Read(0, sizeof(header), header, &read));
  int64_t block = kUsualBlock;
  if (form == MemoForm::kFoxPro) block = Big(header + 6, 2);
  if (form == MemoForm::kDbase4) block = LittleOf(header + 20, 2);
  if (form == MemoForm::kDbase4 && block == 0) block = kUsualBlock;
  return MemoFile(content, form, block, most_bytes);
}

absl::StatusOr<bool> MemoFile::Read(int64_t block, bool text, std::string& memo) {
  memo.clear();
  if (block_bytes_ == 0) return Bad("a memo, and the memo file's header says no size of blocks");
  const int64_t offset = block * block_bytes_;
  if (offset >= content_->size()) return Bad(kBeyond);
  if (form_ == MemoForm::kDbase3) return ReadToMark(offset, memo);
  return ReadCounted(offset, text, memo);
}

absl::StatusOr<bool> MemoFile::ReadToMark(int64_t offset, std::string& memo) {
  for (;;) {
    const size_t begin = memo.size();
    memo.resize(begin + kPiece);
    size_t read = 0;
    SLUICE_RETURN_IF_ERROR(
        content_->Read(offset + static_cast<int64_t>(begin), kPiece, memo.data() + begin, &read));
    memo.resize(begin + read);
    const size_t end = memo.find(kEndOfFile, begin);
    if (end != memo.npos) memo.resize(end);
    if (static_cast<int64_t>(memo.size()) > most_bytes_) return Bad(kTooLong);
    if (end != memo.npos) return true;
    if (read == 0) return Bad("a memo that has no end");
  }
}

absl::StatusOr<bool> MemoFile::ReadCounted(int64_t offset, bool text, std::string& memo) {
  constexpr size_t kHead = 8;
  char head[kHead];
  size_t read = 0;
  SLUICE_RETURN_IF_ERROR(content_->Read(offset, kHead, head, &read));
  if (read < kHead) return Bad(kBeyond);
  int64_t size = 0;
  if (form_ == MemoForm::kFoxPro) {
    if (text && Big(head, 4) != 1) return Bad("a memo that is a picture or an object, and no text");
    size = Big(head + 4, 4);
  } else {
    if (LittleOf(head, 4) != 0x0008FFFF) return Bad("a memo whose block begins none");
    size = static_cast<int64_t>(LittleOf(head + 4, 4)) - static_cast<int64_t>(kHead);
  }
  if (size < 0 || size > content_->size() - offset - static_cast<int64_t>(kHead))
    return Bad(kBeyond);
  if (size > most_bytes_) return Bad(kTooLong);
  memo.resize(static_cast<size_t>(size));
  SLUICE_RETURN_IF_ERROR(
      content_->Read(offset + static_cast<int64_t>(kHead), memo.size(), memo.data(), &read));
  return read == memo.size() ? true : Bad(kBeyond);
}

}  // namespace sluice::adapters::dbf
