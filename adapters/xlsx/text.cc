#include "adapters/xlsx/text.h"

#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::xlsx {
namespace {

constexpr size_t kEscapeBytes = 7;  // _xHHHH_

// The code that an escape at `at` stands for; -1 where there is none.
int32_t EscapeAt(std::string_view text, size_t at) {
  if (text.size() - at < kEscapeBytes || text[at] != '_' || text[at + 1] != 'x' ||
      text[at + 6] != '_')
    return -1;
  int32_t code = 0;
  for (size_t i = at + 2; i < at + 6; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!absl::ascii_isxdigit(c)) return -1;
    code = code * 16 + (absl::ascii_isdigit(c) ? c - '0' : absl::ascii_tolower(c) - 'a' + 10);
  }
  return code;
}

void AppendUtf8(int32_t code, std::string& out) {
  const auto more = [&](int shift) {
    out.push_back(static_cast<char>(0x80 | (code >> shift & 0x3F)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
    more(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    more(6);
    more(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | code >> 18));
    more(12);
    more(6);
    more(0);
  }
}

bool High(int32_t code) { return code >= 0xD800 && code < 0xDC00; }
bool Low(int32_t code) { return code >= 0xDC00 && code < 0xE000; }

}  // namespace

void TakeEscapesBack(std::string& text) {
  if (text.find("_x") == text.npos) return;
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    const int32_t code = EscapeAt(text, at);
    const int32_t next = High(code) ? EscapeAt(text, at + kEscapeBytes) : -1;
    if (High(code) && Low(next)) {
      AppendUtf8(0x10000 + ((code - 0xD800) << 10) + (next - 0xDC00), plain);
      at += 2 * kEscapeBytes;
    } else if (code >= 0 && !High(code) && !Low(code)) {
      AppendUtf8(code, plain);
      at += kEscapeBytes;
    } else {
      plain.push_back(text[at++]);
    }
  }
  text = std::move(plain);
}

void SharedTextEvents::Start(std::string_view element, const Attributes&) {
  if (element == "si") run_.Begin();
  run_.Start(element);
}

void SharedTextEvents::End(std::string_view element) {
  run_.End(element);
  if (element != "si") return;
  TakeEscapesBack(run_.text());
  const auto more = take_(count_++, run_.text());
  if (!more.ok() || !*more) Stop(more.status());
}

void SharedTextEvents::Text(std::string_view text) {
  run_.Text(text);
  if (run_.text().size() > most_bytes_)
    Stop(files::BadFile(table_,
                        absl::StrCat("a text of over ", most_bytes_, " bytes (most_row_bytes)")));
}

absl::StatusOr<std::unique_ptr<SharedTexts>> SharedTexts::Make(const std::string& work_folder) {
  SLUICE_ASSIGN_OR_RETURN(auto texts, files::ScratchBytes::Make(work_folder));
  SLUICE_ASSIGN_OR_RETURN(auto ends, files::ScratchBytes::Make(work_folder));
  SLUICE_RETURN_IF_ERROR(ends->Append(std::string(sizeof(int64_t), '\0')));
  return std::unique_ptr<SharedTexts>(new SharedTexts(std::move(texts), std::move(ends)));
}

absl::Status SharedTexts::Add(std::string_view text) {
  SLUICE_RETURN_IF_ERROR(texts_->Append(text));
  const int64_t end = texts_->size();
  ++count_;
  return ends_->Append({reinterpret_cast<const char*>(&end), sizeof(end)});
}

absl::Status SharedTexts::Read(int64_t number, std::string& text) {
  int64_t bounds[2];
  SLUICE_RETURN_IF_ERROR(
      ends_->Read(number * static_cast<int64_t>(sizeof(int64_t)), sizeof(bounds), bounds_));
  std::memcpy(bounds, bounds_.data(), sizeof(bounds));
  return texts_->Read(bounds[0], static_cast<size_t>(bounds[1] - bounds[0]), text);
}

}  // namespace sluice::adapters::xlsx
