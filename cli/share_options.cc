#include "cli/share_options.h"

namespace sluice::cli {

void AddShareOptions(CLI::App& command, ShareOptions& options) {
  // One word each, split at commas: a list must not swallow the arguments behind it.
  const auto list = [&command](const char* name, std::vector<std::string>& words,
                               const char* help) {
    return command.add_option(name, words, help)->delimiter(',')->allow_extra_args(false);
  };
  list("--systems", options.systems, "a,b: only these of the agency's systems");
  list("--fields", options.fields, "a,b: fields of the dataset");
  command.add_option("--rows", options.rows, "filter text: only these rows");
  list("--modes", options.modes,
       "query: pages; read: all rows that match, as one stream; match: yes or no about values that "
       "are named; count: numbers of rows")
      ->check(CLI::IsMember({"query", "read", "match", "count"}));
  command.add_option("--from", options.from, "when it begins; at once without it");
  command.add_option("--until", options.until,
                     "2027-04-01, a whole time, or 90d: when it ends, that moment excluded");
  for (const auto& [name, number, help] :
       {std::tuple("--calls-per-minute", &options.calls_per_minute, "calls at most; 0: no limit"),
        std::tuple("--rows-per-day", &options.rows_per_day, "rows at most; 0: no limit"),
        std::tuple("--rows-total", &options.rows_total, "rows at most in all; 0: no limit")})
    command.add_option(name, *number, help)->check(CLI::NonNegativeNumber);
}

v1::Mode ModeFromWord(std::string_view word) {
  if (word == "match") return v1::MODE_MATCH;
  if (word == "count") return v1::MODE_COUNT;
  return word == "read" ? v1::MODE_READ : v1::MODE_QUERY;
}

}  // namespace sluice::cli
