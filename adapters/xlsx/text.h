// Texts of a workbook: runs of rich text joined, phonetic ones left out, escapes taken back; and
// the table of shared ones, in a Scratch, however many. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/files/scratch_content.h"
#include "adapters/xlsx/xml.h"

namespace sluice::adapters::xlsx {

// _x000D_ becomes the character of that code, as ECMA-376 part 1, 22.9.2.19, has it.
void TakeEscapesBack(std::string& text);

// Gathers the text of one <si> or <is>.
class RunText {
 public:
  void Begin() {
    text_.clear();
    in_text_ = in_phonetic_ = false;
  }
  void Start(std::string_view element) {
    if (element == "rPh") in_phonetic_ = true;
    if (element == "t") in_text_ = !in_phonetic_;
  }
  void End(std::string_view element) {
    if (element == "rPh") in_phonetic_ = false;
    if (element == "t") in_text_ = false;
  }
  void Text(std::string_view text) {
    if (in_text_) text_.append(text);
  }
  std::string& text() { return text_; }

 private:
  std::string text_;
  bool in_text_ = false;
  bool in_phonetic_ = false;
};

// The shared texts in turn.
class SharedTextEvents : public XmlEvents {
 public:
  // `take` gets each with its number; reading ends where it gives false or an error.
  using Take = std::function<absl::StatusOr<bool>(int64_t number, std::string_view text)>;
  SharedTextEvents(std::string table, size_t most_bytes, Take take)
      : table_(std::move(table)), most_bytes_(most_bytes), take_(std::move(take)) {}
  void Start(std::string_view element, const Attributes& attributes) override;
  void End(std::string_view element) override;
  void Text(std::string_view text) override;

 private:
  const std::string table_;
  const size_t most_bytes_;
  const Take take_;
  RunText run_;
  int64_t count_ = 0;
};

// All of them.
class SharedTexts {
 public:
  static absl::StatusOr<std::unique_ptr<SharedTexts>> Make(const std::string& work_folder);
  absl::Status Add(std::string_view text);
  int64_t count() const { return count_; }
  // `number` is below the count.
  absl::Status Read(int64_t number, std::string& text);

 private:
  SharedTexts(std::unique_ptr<files::ScratchBytes> texts, std::unique_ptr<files::ScratchBytes> ends)
      : texts_(std::move(texts)), ends_(std::move(ends)) {}
  const std::unique_ptr<files::ScratchBytes> texts_;
  const std::unique_ptr<files::ScratchBytes> ends_;  // where each begins, eight bytes; and the end
  int64_t count_ = 0;
  std::string bounds_;
};

}  // namespace sluice::adapters::xlsx
