// One field's bytes as a value of the type asked for. Which way that goes is chosen once, when rows
// are opened. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/copybook/settings.h"
#include "adapters/copybook/shape.h"
#include "adapters/files/encoding.h"
#include "adapters/files/values.h"

namespace sluice::adapters::copybook {

using files::Value;

// What the fields of one table's rows share.
class TextReader {
 public:
  // The settings outlive it.
  static absl::StatusOr<std::unique_ptr<TextReader>> Make(const CopybookSettings& settings);

  // The text of a field as UTF-8, trimmed as the settings say, or as `trim` says; nothing where
  // bytes have no meaning. Borrows from `raw` or from the reader, until its next call.
  std::optional<std::string_view> Read(const Item& item, std::string_view raw, Trim trim);
  const CopybookSettings& settings() const { return settings_; }
  std::string& scratch() { return scratch_; }
  std::string& number() { return number_; }

 private:
  TextReader(const CopybookSettings& settings, files::PageDecoder page, files::Decoder national);
  std::string_view TrimBytes(std::string_view raw, Trim trim) const;

  const CopybookSettings& settings_;
  files::PageDecoder page_;
  files::Decoder national_;
  bool blank_[256];  // of a code page of single bytes: what is trimmed
  std::string units_, scratch_, number_;
};

class FieldReader {
 public:
  // Leaf and text reader outlive it.
  FieldReader(const Leaf& leaf, const records::DataType& type, files::ValueRule rule,
              bool binary_is_text, TextReader& text);

  // `raw` is the field's bytes: all of them, or of a text those that are there. Nothing where they
  // are no value of the type: then why() may say more.
  std::optional<Value> Read(std::string_view raw) { return (this->*read_)(raw); }
  const char* why() const { return why_; }
  bool number() const { return number_; }

 private:
  using Way = std::optional<Value> (FieldReader::*)(std::string_view raw);

  Way WayFor() const;
  std::optional<Value> Bad(const char* why);
  std::optional<Value> Blank(const char* why);
  std::optional<Value> ReadSmallInt(std::string_view raw);
  std::optional<Value> ReadSmallDecimal(std::string_view raw);
  std::optional<Value> ReadAnyNumber(std::string_view raw);
  std::optional<Value> ReadFloating(std::string_view raw);
  std::optional<Value> ReadText(std::string_view raw);
  std::optional<Value> ReadParsed(std::string_view raw);
  std::optional<Value> ReadBytes(std::string_view raw);
  std::optional<Value> OfNumber(const Number& number);
  std::optional<Value> OfDigits(const Number& number);

  const Leaf& leaf_;
  const records::DataType type_;
  const files::ValueRule rule_;
  const bool binary_is_text_;
  const bool number_;
  NumberForm form_;
  records::Decimal128 factor_ = 1, bound_ = 0;  // of ReadSmallDecimal
  TextReader& text_;
  Way read_;
  const char* why_ = "";
};

}  // namespace sluice::adapters::copybook
