// Prometheus' text format, version 0.0.4: families, each with its HELP and TYPE, and their samples.
//
//   MetricsText text;
//   text.Family("sluice_exchanges_total", "counter", "Exchanges that ended.");
//   text.Sample({{"mode", "query"}}, 12);
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/clock.h"
#include "gateway/base/histogram.h"

namespace sluice::http {

inline constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";

class MetricsText {
 public:
  // Names of labels are ours; values may be any text.
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Samples belong to the family that was begun last. `type`: "counter", "gauge" or "histogram".
  void Family(std::string_view name, std::string_view type, std::string_view help);
  void Sample(Labels labels, int64_t value);
  void Sample(Labels labels, double value);
  // Buckets, sum and count, in seconds.
  void Samples(Labels labels, const Histogram& histogram);

  // A family of one sample without labels.
  void Gauge(std::string_view name, std::string_view help, int64_t value);
  void Counter(std::string_view name, std::string_view help, int64_t value);
  // A time as seconds since 1970.
  void Time(std::string_view name, std::string_view help, Micros time);

  const std::string& text() const { return text_; }

 private:
  void Line(std::string_view suffix, Labels labels, std::string_view le, std::string_view value);

  std::string name_, text_;
};

}  // namespace sluice::http
