// What tests of streams expect of their messages, and the worlds that they begin with.
#pragma once

#include <string>
#include <vector>

#include "gateway/exchange/read_testing.h"

namespace sluice::exchange {

// Rows of the fake source as JSON lines.
std::string JsonLine(int64_t row);
std::string JsonLines(int64_t rows);
// The RFC 6962 root over the batches of these messages.
std::string RootOf(const std::vector<v1::ReadResponse>& messages);
std::vector<int64_t> Lengths(const std::vector<v1::ReadResponse>& messages);
void Revoke(ReadWorld& world);
// A step is two batches.
ReadWorld::Options SmallSteps();

}  // namespace sluice::exchange
