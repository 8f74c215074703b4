// Sources of kind `delimited` for the conformance suite.
#pragma once

#include <memory>
#include <string>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

enum class DelimitedVariant {
  kPlain,     // RFC 4180 in UTF-8, in the key's order
  kShuffled,  // in no order, and an index that is spilt and merged in the smallest pieces
  kOneFile,   // a source of one file, with a byte order mark and a line of title
  kTabs,      // tabs, backslashes, no header
  kGb18030,   // in which a second byte may be a backslash or a bar, and bars separate
  kUtf16,     // little-endian
};

// As files of text hold values by default: what files::ParseValue reads.
std::string FileText(const records::Scalar& value, const records::DataType& type);
// Text that is no value of the type.
const char* BadTextOf(const records::DataType& type);
// An entry of a list as one line of CSV.
std::string AsListEntry(std::string_view name);

KindUnderTest DelimitedKind(std::string name, DelimitedVariant variant);

}  // namespace sluice::adapters::conformance
