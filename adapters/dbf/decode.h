// The bytes of a field as a value. Which way a column goes is chosen once, from what its bytes are
// and what they are asked for as.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/dbf/code_pages.h"
#include "adapters/dbf/header.h"
#include "adapters/files/values.h"

namespace sluice::adapters::dbf {

// What decoding needs besides; views of values borrow from it. One thread.
struct Workspace {
  explicit Workspace(TextDecoder decoder) : text(std::move(decoder)) {}
  TextDecoder text;
  std::string decoded, written, scratch;
  bool blank_is_null = false;
  const char* why = "";
};

// Nothing where the bytes are none of the type; then `why` may say more.
using Decode = std::optional<files::Value> (*)(std::string_view bytes,
                                               const records::DataType& type,
                                               const files::ValueRule& rule, Workspace& work);

// `bytes` of memos are the memo's own; those of varying length are cut to it.
Decode DecodeFor(FieldKind kind, const records::DataType& type);

}  // namespace sluice::adapters::dbf
