// A page of docs/ as tests look at it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// "docs/filters.md"; a failed expectation and "" where it cannot be read.
std::string ReadDocument(std::string_view path);

// The folder docs/.
std::string DocumentsFolder();

// The lines of the code block that is fenced by ``` and this word.
std::vector<std::string> LinesOfBlock(const std::string& page, std::string_view word);

}  // namespace sluice
