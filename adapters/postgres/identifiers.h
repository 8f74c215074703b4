// Names as SQL takes them literally.
#pragma once

#include <string>
#include <string_view>

namespace sluice::adapters::postgres {

// A quoted identifier. No name of PostgreSQL's holds a NUL.
inline std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace sluice::adapters::postgres
