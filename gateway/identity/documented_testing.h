// The examples of docs/formats/yaml.md, so that what is documented is what is read.
#pragma once

#include <string>
#include <string_view>

namespace sluice::identity {

// The YAML block that begins with "# NAME". Fails the test where there is none.
std::string DocumentedYaml(std::string_view name);

// The text with its first occurrence of `from` replaced; fails the test where there is none.
std::string Replaced(std::string text, std::string_view from, std::string_view to);

}  // namespace sluice::identity
