// Adapter processes for tests, hostile ones too, on threads of the test: what they answer is a
// function. And batches as such a process would send them.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/remote/parties_testing.h"
#include "sluice/v1/adapter.grpc.pb.h"

namespace sluice::adapters::remote {

using ScanWriter = grpc::ServerWriter<v1::ScanResponse>;
using ScanAnswer =
    std::function<grpc::Status(grpc::ServerContext&, const v1::ScanRequest&, ScanWriter&)>;

class TestProcess : private v1::Adapter::Service {
 public:
  explicit TestProcess(const TestParties& parties) : parties_(parties) {}
  ~TestProcess() override { Kill(); }

  // What it answers; before Start.
  ScanAnswer scan;
  std::function<grpc::Status(grpc::ServerContext&)> probe;
  v1::DescribeResponse described;
  // What it shows: an adapter's certificate unless said otherwise, or none at all.
  std::string uri = kTestAdapter;
  const certs::TestAuthority* signed_by = nullptr;
  bool in_the_clear = false;

  // Behind Kill at the same address as before.
  void Start();
  // Connections and calls are cut.
  void Kill();
  const std::string& address() const { return address_; }
  const certs::TestLeaf& leaf() const { return *leaf_; }

 private:
  grpc::Status Scan(grpc::ServerContext* context, const v1::ScanRequest* request,
                    ScanWriter* writer) override;
  grpc::Status Probe(grpc::ServerContext* context, const v1::ProbeRequest*,
                     v1::ProbeResponse*) override;
  grpc::Status Describe(grpc::ServerContext*, const v1::DescribeRequest*,
                        v1::DescribeResponse* response) override;

  const TestParties& parties_;
  std::unique_ptr<certs::TestLeaf> leaf_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_ = "127.0.0.1:0";
};

// Rows of `id` (int64) and `name` (utf8), with these ids.
records::RecordBatch People(const std::vector<int64_t>& ids);
std::string ArrowOf(const records::RecordBatch& batch);
v1::ScanResponse Sent(const records::RecordBatch& batch);
// Of People, with `id` as key.
ScanRequest PeopleRequest();

// Until the call was given up; false where it was not within ten seconds.
bool WaitUntilGivenUp(const grpc::ServerContext& context);

}  // namespace sluice::adapters::remote
