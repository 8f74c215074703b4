// The messages of a Read as Flight's: FlightData, and a trailer (docs/formats/flight.md).
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <optional>
#include <string>

#include "gateway/exchange/read_writer.h"
#include "gateway/rpc/stream.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::rpc {

// Which FlightData go out, and when. One thread at a time.
class FlightMessages {
 public:
  void Begin(records::SchemaPtr schema) { schema_ = std::move(schema); }
  // The FlightData of a message of the stream. Nothing for the opening of a whole stream, which
  // goes with the schema, and for the end mark, which goes with the trailer.
  std::optional<grpc::ByteBuffer> Next(v1::ReadResponse head, const Pieces& payload);
  // The trailer's value: the last message, without the lengths of batches.
  std::string Closing(v1::ReadResponse last);

 private:
  records::SchemaPtr schema_;
  std::optional<v1::StreamOpening> opening_;  // until the schema goes
  v1::ReadResponse end_;                      // of the end mark
};

inline constexpr char kClosingTrailer[] = "sluice-closing-bin";

// The broker's way to one client of Flight.
class FlightWriter : public exchange::ReadWriter {
 public:
  explicit FlightWriter(std::shared_ptr<ServerStream::Writer> writer)
      : writer_(std::move(writer)) {}
  void Begin(const records::SchemaPtr& schema) override { messages_.Begin(schema); }
  void Write(v1::ReadResponse message, Pieces payload, std::function<void(bool)> taken) override;
  void Finish(absl::Status status, std::optional<v1::ReadResponse> last) override;
  void Abort() override { writer_->Abort(); }

 private:
  const std::shared_ptr<ServerStream::Writer> writer_;
  FlightMessages messages_;
};

}  // namespace sluice::rpc
