// Which encoding a file's beginning is in, as far as its bytes tell.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/files/encoding.h"

namespace sluice::adapters::delimited {

struct EncodingGuess {
  std::optional<files::Encoding> encoding;  // nothing where it is none that the kind reads
  std::string name;                         // as in settings, or ICU's
  std::string because;
  std::string text;  // the sample as UTF-8, as far as it decodes
};

EncodingGuess GuessEncoding(std::string_view sample, bool whole);

}  // namespace sluice::adapters::delimited
