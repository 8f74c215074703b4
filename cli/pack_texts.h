// The fixed texts of a pack's page, in the order of the page.
#pragma once

namespace sluice::cli {

extern const char kPackHead[];
extern const char kPackProvesZh[], kPackSignersZh[], kPackNoSignersZh[], kPackCheckZh[];
extern const char kPackProvesEn[], kPackSignersEn[], kPackNoSignersEn[], kPackCheckEn[];
// A program that checks a pack with Python's standard library and the command openssl.
extern const char kPackProgram[];
extern const char kPackTable[], kPackEnd[];

}  // namespace sluice::cli
