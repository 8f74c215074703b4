// Catalogue entries in the forms of other catalogues. Pure: no I/O.
//
// DCAT-AP 3 as JSON-LD, with the frequencies and access rights of the EU's vocabularies
// (publications.europa.eu/resource/authority/frequency, …/access-right). The core metadata of
// GB/T 21063.3 as CSV, as the guide to cataloguing lays them out: a row for each item.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "sluice/v1/catalogue.pb.h"

namespace sluice::cli {

struct ExportedEntry {
  v1::Dataset dataset;
  std::optional<v1::Freshness> freshness;
};

struct ExportContext {
  std::string base;      // what IRIs begin with: "urn:sluice:"
  std::string endpoint;  // "gw1.gov.example:8443", where it is asked for
  // Of the agencies whose titles the caller may know.
  std::map<std::string, v1::Text> agencies;
  absl::TimeZone zone;  // of the days in the CSV
};

nlohmann::ordered_json DcatOf(const std::vector<ExportedEntry>& entries,
                              const ExportContext& context);
std::string Gbt21063Of(const std::vector<ExportedEntry>& entries, const ExportContext& context);

}  // namespace sluice::cli
