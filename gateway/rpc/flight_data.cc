#include "gateway/rpc/flight_data.h"

#include <utility>
#include <vector>

#include "arrow/flight/Flight.pb.h"
#include "gateway/base/check.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/rpc/wire.h"

namespace sluice::rpc {
namespace {

using arrow::flight::protocol::FlightData;

// Continuation mark and length, which FlightData goes without.
constexpr size_t kIpcPrefix = 8;
// As base64, and with what else is in a trailer, under the 8 KiB that clients take by default.
constexpr size_t kMostTrailer = 5500;

// Of a message whose metadata has mark and length.
FlightData DataOf(std::string_view metadata, const v1::ReadResponse& head) {
  FlightData data;
  data.set_data_header(std::string(metadata.substr(kIpcPrefix)));
  data.set_app_metadata(head.SerializeAsString());
  return data;
}

}  // namespace

std::optional<grpc::ByteBuffer> FlightMessages::Next(v1::ReadResponse head, const Pieces& payload) {
  if (head.has_opening()) {
    if (head.opening().continues().batches() == 0) {
      opening_ = std::move(*head.mutable_opening());
      return std::nullopt;
    }
    // The part before had the schema as its first batch; Flight wants it in every stream.
    return ToBuffer(DataOf(records::EncodeArrowSchema(*schema_), head));
  }
  SLUICE_CHECK(!payload.empty());
  const std::string_view metadata = payload.pieces()[0];
  // The end mark alone has no metadata. Here the status is the end.
  if (metadata.size() == kIpcPrefix) {
    end_ = std::move(head);
    return std::nullopt;
  }
  if (opening_) *head.mutable_opening() = *std::exchange(opening_, std::nullopt);
  const Pieces body({payload.pieces().begin() + 1, payload.pieces().end()}, payload.owner());
  return ToBuffer(DataOf(metadata, head), FlightData::kDataBodyFieldNumber, body);
}

std::string FlightMessages::Closing(v1::ReadResponse last) {
  v1::ReadResponse closing = std::move(end_);
  closing.clear_resume_token();
  *closing.mutable_closing() = std::move(*last.mutable_closing());
  closing.mutable_closing()->clear_batch_lengths();
  // What proves the most stays the longest.
  if (closing.ByteSizeLong() > kMostTrailer) closing.clear_step();
  if (closing.ByteSizeLong() > kMostTrailer) closing.mutable_closing()->clear_receipt();
  return closing.SerializeAsString();
}

void FlightWriter::Write(v1::ReadResponse message, Pieces payload,
                         std::function<void(bool)> taken) {
  auto buffer = messages_.Next(std::move(message), payload);
  if (!buffer) return taken(true);
  writer_->Write(*std::move(buffer), std::move(taken));
}

void FlightWriter::Finish(absl::Status status, std::optional<v1::ReadResponse> last) {
  if (last) writer_->AddTrailer(kClosingTrailer, messages_.Closing(*std::move(last)));
  writer_->Finish(std::move(status), std::nullopt);
}

}  // namespace sluice::rpc
