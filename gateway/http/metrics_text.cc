#include "gateway/http/metrics_text.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/base/view.h"

namespace sluice::http {
namespace {

std::string Shortest(double value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, end.ptr);
}

double Seconds(Micros micros) { return static_cast<double>(micros) / kSecond; }

}  // namespace

void MetricsText::Family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = std::string(name);
  const std::string escaped = absl::StrReplaceAll(View(help), {{"\\", "\\\\"}, {"\n", "\\n"}});
  absl::StrAppend(&text_, "# HELP ", name_, " ", escaped, "\n# TYPE ", name_, " ", View(type),
                  "\n");
}

void MetricsText::Line(std::string_view suffix, Labels labels, std::string_view le,
                       std::string_view value) {
  absl::StrAppend(&text_, name_, View(suffix));
  char before = '{';
  const auto label = [&](std::string_view name, std::string_view said) {
    const std::string escaped =
        absl::StrReplaceAll(View(said), {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
    text_ += std::exchange(before, ',');
    absl::StrAppend(&text_, View(name), "=\"", escaped, "\"");
  };
  for (const auto& [name, said] : labels) label(name, said);
  if (!le.empty()) label("le", le);
  if (before == ',') text_ += '}';
  absl::StrAppend(&text_, " ", View(value), "\n");
}

void MetricsText::Sample(Labels labels, int64_t value) {
  Line("", labels, "", absl::StrCat(value));
}

void MetricsText::Sample(Labels labels, double value) { Line("", labels, "", Shortest(value)); }

void MetricsText::Samples(Labels labels, const Histogram& histogram) {
  const Histogram::Counted counted = histogram.Get();
  uint64_t so_far = 0;
  for (size_t i = 0; i < counted.counts.size(); ++i) {
    so_far += counted.counts[i];
    const bool last = i == Histogram::kEnds.size();
    Line("_bucket", labels, last ? "+Inf" : Shortest(Seconds(Histogram::kEnds[i])),
         absl::StrCat(so_far));
  }
  Line("_sum", labels, "", Shortest(Seconds(counted.total)));
  Line("_count", labels, "", absl::StrCat(so_far));
}

void MetricsText::Gauge(std::string_view name, std::string_view help, int64_t value) {
  Family(name, "gauge", help);
  Sample({}, value);
}

void MetricsText::Counter(std::string_view name, std::string_view help, int64_t value) {
  Family(name, "counter", help);
  Sample({}, value);
}

void MetricsText::Time(std::string_view name, std::string_view help, Micros time) {
  Family(name, "gauge", help);
  Sample({}, Seconds(time));
}

}  // namespace sluice::http
