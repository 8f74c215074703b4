// Labels of pages and tables in Chinese. Reasons are never translated.
#pragma once

#include <string_view>

namespace sluice::cli {

// The label itself where there is no other word for it.
std::string_view ChineseLabel(std::string_view english);

}  // namespace sluice::cli
