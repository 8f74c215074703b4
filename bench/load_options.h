// What the load client is told, and what all its kinds of work share.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <memory>
#include <string>

#include "google/protobuf/message.h"

namespace sluice::bench {

using SteadyClock = std::chrono::steady_clock;

struct LoadOptions {
  std::string target, server_name, certificate, key, authorities;
  std::string work;
  std::string dataset, purpose, case_reference, end_user, key_field, keys, media_type;
  int in_flight = 64;
  int connections = 4;
  double seconds = 3, warm_up = 1;
  int64_t streams = 0;  // end after so many, not by time
  int request_bytes = 0, reply_bytes = 0;
  int64_t batches = 0;
  int batch_bytes = 0;
};

// Ends the process.
[[noreturn]] void Fail(const std::string& what);
std::string ReadFile(const std::string& path);

// A connection of its own each, over mutual TLS.
std::shared_ptr<grpc::Channel> MakeChannel(const LoadOptions& options);

SteadyClock::duration Seconds(double seconds);
double SecondsSince(SteadyClock::time_point begin);

grpc::ByteBuffer Serialised(const google::protobuf::Message& message);
bool Parse(grpc::ByteBuffer* buffer, google::protobuf::Message* message);

}  // namespace sluice::bench
