// Numbers as old systems write them, in the one form that everything else reads: digits with a
// point, without plus sign, zeros in front and exponent. Never through a binary fraction.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::adapters::files {

// "1.5e+003" becomes "1500", ".5" "0.5", "007" "7", "-0" "0"; zeros behind the point stay. False
// for what is no number, and for exponents beyond 400. `text` is not empty.
bool WritePlainNumber(std::string_view text, std::string& out);

// Of a plain number, zeros behind the point beyond the first `kept` digits.
void DropZeros(std::string& number, size_t kept);

}  // namespace sluice::adapters::files
