// A thing on a page: a head line, then labels in a column of their own with what is to be said.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/session.h"

namespace sluice::cli {

class Page {
 public:
  explicit Page(const Session& session) : session_(session) {}

  // "GRANT 7q4m2k, revision 2          IN FORCE until 2027-03-31".
  void Head(std::string_view what, std::string_view state);
  // An empty label goes on under the one before. What is said is made harmless here.
  void Add(std::string_view label, std::string_view text);
  // Parts with a dot between, broken between parts where the line would be too wide.
  void AddParts(std::string_view label, const std::vector<std::string>& parts);
  // A line of cells under the label, in columns that all lines share.
  void AddTable(std::string_view label, const std::vector<std::vector<std::string>>& lines);

  const std::string& text() const { return text_; }

 private:
  const Session& session_;
  std::string text_;
};

}  // namespace sluice::cli
