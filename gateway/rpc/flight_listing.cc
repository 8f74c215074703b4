#include "gateway/rpc/flight_listing.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/catalogue.h"
#include "gateway/policy/pick_grant.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/rpc/wire.h"

namespace sluice::rpc {

using arrow::flight::protocol::FlightDescriptor;
using arrow::flight::protocol::FlightInfo;

std::optional<FlightInfo> NextFlight(const policy::Snapshot& snapshot,
                                     const identity::Principal& principal, Micros now,
                                     const std::vector<std::string>& words, std::string& after) {
  const std::string agency = principal.agency + "\n";
  for (auto held = snapshot.by_consumer.upper_bound(agency + after);
       held != snapshot.by_consumer.end() && held->first.starts_with(agency); ++held) {
    const std::string name = held->first.substr(agency.size());
    const auto found = snapshot.datasets.find(name);
    if (found == snapshot.datasets.end()) continue;
    const catalogue::Dataset& dataset = *found->second;
    const auto grants = policy::UsableGrants(principal, v1::MODE_READ, snapshot, dataset, now);
    if (grants.empty() || !catalogue::Matches(dataset.definition, words)) continue;
    after = name;
    FlightInfo info;
    // Which grant a call stands on may hang on its purpose, and its schema with it.
    if (grants.size() == 1) {
      info.set_schema(records::EncodeArrowSchema(*grants[0]->schema));
      info.set_ordered(grants[0]->key_visible);
    }
    FlightDescriptor& descriptor = *info.mutable_flight_descriptor();
    descriptor.set_type(FlightDescriptor::PATH);
    const size_t slash = name.find('/');
    descriptor.add_path(name.substr(0, slash));
    descriptor.add_path(name.substr(slash + 1));
    info.set_total_records(-1);
    info.set_total_bytes(-1);
    info.set_app_metadata(catalogue::VisibleTo(principal, dataset.definition).SerializeAsString());
    return info;
  }
  return std::nullopt;
}

void FlightListing::Start(std::chrono::system_clock::time_point deadline) {
  alarm_.Set(deadline, [weak = weak_from_this()](bool passed) {
    const auto listing = weak.lock();
    if (passed && listing) listing->writer_->Abort();
  });
  Next();
}

void FlightListing::Next() {
  const auto info =
      NextFlight(*parts_.snapshots.Get(), principal_, parts_.clock.Now(), words_, after_);
  if (!info) return writer_->Finish(absl::OkStatus(), std::nullopt);
  writer_->Write(ToBuffer(*info), [listing = shared_from_this()](bool taken) {
    if (taken) return listing->Next();
    listing->writer_->Finish(Error(v1::REASON_CANCELLED, "the caller gave the call up."),
                             std::nullopt);
  });
}

}  // namespace sluice::rpc
