// Keeps N unary calls in flight against a gateway (Exchange.Query) or the bare server (Lookup,
// Echo) for a while, and prints one JSON object: calls, calls_per_second, p50_us, p99_us,
// request_bytes, reply_bytes (means). Any answer that is not the expected one ends it with exit
// code 1.
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "bare.pb.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench_load: " << what << "\n";
  std::exit(1);
}

struct Options {
  std::string target, server_name, certificate, key, authorities;
  std::string work;  // query, lookup, echo
  std::string dataset, purpose, case_reference, end_user, key_field, keys;
  int in_flight = 64;
  int connections = 4;
  double seconds = 3, warm_up = 1;
  int request_bytes = 0, reply_bytes = 0;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> ReadKeys(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> keys;
  for (std::string line; std::getline(file, line);) keys.push_back(line);
  if (keys.empty()) Fail("no keys in " + path);
  return keys;
}

// What to send, what to expect. Requests are serialised beforehand: the client shares the cores
// with the server that is measured.
struct Work {
  std::string method;
  std::vector<grpc::ByteBuffer> requests;
  size_t request_bytes = 0;  // of the first
  std::function<bool(grpc::ByteBuffer*)> expected;
};

grpc::ByteBuffer Serialised(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool Parse(grpc::ByteBuffer* buffer, google::protobuf::Message* reply) {
  grpc::ProtoBufferReader reader(buffer);
  return reader.status().ok() && reply->ParseFromZeroCopyStream(&reader);
}

Work QueryWork(const Options& options) {
  Work work{.method = "/sluice.v1.Exchange/Query"};
  v1::QueryRequest request;
  request.set_dataset(options.dataset);
  request.set_purpose(options.purpose);
  request.set_case_reference(options.case_reference);
  request.set_end_user(options.end_user);
  request.set_filter(options.key_field + " = $key");
  for (const std::string& key : ReadKeys(options.keys)) {
    auto& values = (*request.mutable_parameters())["key"];
    values.clear_values();
    values.add_values()->set_string_value(key);
    work.requests.push_back(Serialised(request));
  }
  work.expected = [](grpc::ByteBuffer* buffer) {
    v1::QueryResponse reply;
    return Parse(buffer, &reply) && reply.rows() == 1 && !reply.receipt().envelope().empty();
  };
  return work;
}

Work LookupWork(const Options& options) {
  Work work{.method = "/sluice.bench.Bare/Lookup"};
  for (const std::string& key : ReadKeys(options.keys)) {
    LookupRequest request;
    request.set_key(key);
    work.requests.push_back(Serialised(request));
  }
  work.expected = [](grpc::ByteBuffer* buffer) {
    v1::RowBatch reply;
    return Parse(buffer, &reply) && reply.rows_size() == 1;
  };
  return work;
}

Work EchoWork(const Options& options) {
  Work work{.method = "/sluice.bench.Bare/Echo"};
  EchoRequest request;
  // What the fields' own tags and lengths take is a few bytes of it.
  request.set_padding(
      std::string(static_cast<size_t>(std::max(0, options.request_bytes - 6)), 'x'));
  request.set_reply_bytes(std::max(0, options.reply_bytes - 3));
  work.requests.push_back(Serialised(request));
  const size_t size = static_cast<size_t>(request.reply_bytes());
  work.expected = [size](grpc::ByteBuffer* buffer) {
    EchoReply reply;
    return Parse(buffer, &reply) && reply.payload().size() == size;
  };
  return work;
}

Work MakeWork(const Options& options) {
  Work work = options.work == "query"    ? QueryWork(options)
              : options.work == "lookup" ? LookupWork(options)
                                         : EchoWork(options);
  work.request_bytes = work.requests.front().Length();
  return work;
}

class Load {
 public:
  Load(const Options& options, Work work) : options_(options), work_(std::move(work)) {
    grpc::SslCredentialsOptions ssl;
    ssl.pem_root_certs = ReadFile(options.authorities);
    ssl.pem_private_key = ReadFile(options.key);
    ssl.pem_cert_chain = ReadFile(options.certificate);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // each channel its own connection
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    if (!options.server_name.empty()) arguments.SetSslTargetNameOverride(options.server_name);
    for (int i = 0; i < options.connections; ++i)
      stubs_.push_back(std::make_unique<grpc::GenericStub>(
          grpc::CreateCustomChannel(options.target, grpc::SslCredentials(ssl), arguments)));
  }

  nlohmann::json Run() {
    for (int i = 0; i < options_.in_flight; ++i) Start(new Call);
    const auto begin = SteadyClock::now() + Seconds(options_.warm_up);
    const auto end = begin + Seconds(options_.seconds);
    Until(begin);
    microseconds_.clear();
    reply_bytes_ = 0;
    const auto measured_from = SteadyClock::now();
    Until(end);
    const double seconds =
        std::chrono::duration<double>(SteadyClock::now() - measured_from).count();
    const nlohmann::json result = Summary(seconds);
    stopping_ = true;
    while (running_ > 0) Next();
    return result;
  }

 private:
  struct Call {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer reply;
    grpc::Status status;
    SteadyClock::time_point started;
  };

  static SteadyClock::duration Seconds(double seconds) {
    return std::chrono::duration_cast<SteadyClock::duration>(
        std::chrono::duration<double>(seconds));
  }

  void Until(SteadyClock::time_point end) {
    while (SteadyClock::now() < end) Next();
  }

  void Start(Call* call) {
    ++running_;
    call->context = std::make_unique<grpc::ClientContext>();
    call->context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    call->reply.Clear();
    // Keys in an order that no cache foresees, the same in every run.
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    const size_t request = (random_ >> 33) % work_.requests.size();
    call->started = SteadyClock::now();
    call->reader = stubs_[started_++ % stubs_.size()]->PrepareUnaryCall(
        call->context.get(), work_.method, work_.requests[request], &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->reply, &call->status, call);
  }

  // Takes one answer, and sends the next request in its place.
  void Next() {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_.Next(&tag, &ok)) Fail("the queue ended");
    Call* call = static_cast<Call*>(tag);
    --running_;
    if (!call->status.ok())
      Fail(work_.method + ": code " + std::to_string(call->status.error_code()) + ": " +
           call->status.error_message());
    reply_bytes_ += call->reply.Length();
    microseconds_.push_back(
        std::chrono::duration<float, std::micro>(SteadyClock::now() - call->started).count());
    if (!work_.expected(&call->reply)) Fail(work_.method + ": not the answer that was expected");
    if (stopping_) {
      delete call;
    } else {
      Start(call);
    }
  }

  nlohmann::json Summary(double seconds) {
    if (microseconds_.empty()) Fail("no call was answered in time");
    std::sort(microseconds_.begin(), microseconds_.end());
    const size_t calls = microseconds_.size();
    return {{"work", options_.work},
            {"in_flight", options_.in_flight},
            {"calls", calls},
            {"calls_per_second", static_cast<double>(calls) / seconds},
            {"p50_us", microseconds_[calls / 2]},
            {"p99_us", microseconds_[calls * 99 / 100]},
            {"request_bytes", work_.request_bytes},
            {"reply_bytes", reply_bytes_ / calls}};
  }

  const Options options_;
  const Work work_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::vector<float> microseconds_;
  size_t reply_bytes_ = 0;
  size_t started_ = 0;
  int running_ = 0;
  bool stopping_ = false;
  uint64_t random_ = 1;
};

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  CLI::App app("Unary calls, N in flight, against a gateway or the bare server.");
  Options options;
  app.add_option("--work", options.work)
      ->required()
      ->check(CLI::IsMember({"query", "lookup", "echo"}));
  app.add_option("--target", options.target)->required();
  app.add_option("--server-name", options.server_name);
  app.add_option("--certificate", options.certificate)->required();
  app.add_option("--key", options.key)->required();
  app.add_option("--authorities", options.authorities)->required();
  app.add_option("--in-flight", options.in_flight)->check(CLI::Range(1, 4096));
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 64));
  app.add_option("--seconds", options.seconds);
  app.add_option("--warm-up", options.warm_up);
  app.add_option("--keys", options.keys, "a key a line; for query and lookup");
  app.add_option("--dataset", options.dataset);
  app.add_option("--purpose", options.purpose);
  app.add_option("--case", options.case_reference);
  app.add_option("--user", options.end_user);
  app.add_option("--key-field", options.key_field);
  app.add_option("--request-bytes", options.request_bytes, "for echo");
  app.add_option("--reply-bytes", options.reply_bytes, "for echo");
  CLI11_PARSE(app, argc, argv);
  std::cout << Load(options, MakeWork(options)).Run().dump() << std::endl;
  return 0;
}
