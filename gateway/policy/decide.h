// The decision: a pure function. No I/O, no lock, no clock of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/identity/principal.h"
#include "gateway/policy/filter.h"
#include "gateway/policy/snapshot.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::policy {

struct DecideLimits {
  int32_t max_page_rows = 1000;  // the gateway's own
};

struct OutputField {
  int field = 0;    // in the dataset's schema
  int granted = 0;  // in the grant's fields
};

// What is permitted, and how to carry it out. Keeps what it points to alive.
struct Plan {
  SnapshotPtr snapshot;
  GrantPtr grant;
  catalogue::DatasetPtr dataset;
  const v1::Source* source = nullptr;  // in snapshot->directory
  std::string purpose;

  std::vector<OutputField> output;    // in the order asked for
  records::SchemaPtr output_schema;   // names, masked types
  std::vector<std::string> left_out;  // names of the dataset's other fields
  // Row filter and consumer's filter together. Field i < schema size is the raw field i; field
  // schema size + g is the masked value of the grant's field g.
  records::Predicate predicate;
  // The part on raw fields alone, for push-down: implied by `predicate`.
  records::Predicate raw_predicate;
  std::vector<int> scan_fields;  // indices in the schema: output, key, predicate, subjects
  std::vector<BoundFilter::Asked> asked;
  bool names_subjects = false;
  // False: the key is hidden, so rows come shuffled by a keyed digest and must fit one page.
  bool ordered = true;
  int32_t page_rows = 0;
};

// What is known of a call when it was refused, for its record.
struct Denial {
  absl::Status status;                    // with its reason
  catalogue::DatasetPtr dataset;          // null where unknown
  GrantPtr grant;                         // the one that came nearest, where there was one
  std::vector<BoundFilter::Asked> asked;  // where the filter could be read
  // Whether it asked about those alone.
  bool names_subjects = false;
};

struct Decision {
  std::optional<Plan> plan;
  std::optional<Denial> denial;  // exactly one of both
};

// Order: kind of principal, request's form, dataset, purpose on the authority's list, grants of the
// agency on it (mode, system, purpose, time, state; the nearest miss names the reason), claims that
// the grant demands, its hours and networks, fields, filter, page size. The page token is the
// exchange's matter.
//
// `peer` is where the call comes from, as gRPC tells it; empty is nowhere that a network holds.
Decision Decide(const identity::Principal& principal, const v1::QueryRequest& request,
                const SnapshotPtr& snapshot, Micros now, const DecideLimits& limits,
                v1::Mode mode = v1::MODE_QUERY, std::string_view peer = {});

// What is decided on in a stream's request, with MODE_READ: the same as in a query, without pages.
v1::QueryRequest AsQuery(const v1::ReadRequest& request);
// What is decided on in a count, with MODE_COUNT: its groups are the fields asked for.
v1::QueryRequest AsQuery(const v1::CountRequest& request);
// What is decided on in a check.
v1::QueryRequest AsQuery(const v1::CheckRequest& request);

}  // namespace sluice::policy
