#include "adapters/remote/process_testing.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/records/arrow_writer.h"

namespace sluice::adapters::remote {

void TestProcess::Start() {
  const certs::TestAuthority& authority = signed_by != nullptr ? *signed_by : parties_.authority();
  leaf_ = std::make_unique<certs::TestLeaf>(authority.Issue(uri));
  auto credentials = grpc::InsecureServerCredentials();
  if (!in_the_clear) {
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = parties_.authority().pem();
    options.pem_key_cert_pairs = {{leaf_->key_pem, leaf_->certificate_pem}};
    credentials = grpc::SslServerCredentials(options);
  }
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, credentials, &port);
  builder.RegisterService(this);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxSendMessageSize(-1);
  server_ = builder.BuildAndStart();
  SLUICE_CHECK(server_ != nullptr && port > 0);
  address_ = absl::StrCat("127.0.0.1:", port);
}

void TestProcess::Kill() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_ = nullptr;
}

grpc::Status TestProcess::Scan(grpc::ServerContext* context, const v1::ScanRequest* request,
                               ScanWriter* writer) {
  return scan ? scan(*context, *request, *writer) : grpc::Status::OK;
}

grpc::Status TestProcess::Probe(grpc::ServerContext* context, const v1::ProbeRequest*,
                                v1::ProbeResponse*) {
  return probe ? probe(*context) : grpc::Status::OK;
}

grpc::Status TestProcess::Describe(grpc::ServerContext*, const v1::DescribeRequest*,
                                   v1::DescribeResponse* response) {
  *response = described;
  return grpc::Status::OK;
}

records::RecordBatch People(const std::vector<int64_t>& ids) {
  records::ColumnBuilder id({records::TypeId::kInt64}), name({records::TypeId::kUtf8});
  for (const int64_t one : ids) {
    id.AppendInt64(one);
    name.AppendBytes(absl::StrCat("人", one));
  }
  std::vector<records::Column> columns;
  columns.push_back(id.Finish());
  columns.push_back(name.Finish());
  return records::RecordBatch(
      std::make_shared<const records::Schema>(std::vector<records::Field>{
          {"id", {records::TypeId::kInt64}}, {"name", {records::TypeId::kUtf8}}}),
      std::move(columns), static_cast<int64_t>(ids.size()));
}

std::string ArrowOf(const records::RecordBatch& batch) {
  std::string out;
  records::AppendArrowSchema(*batch.schema(), out);
  records::AppendArrowBatch(batch, out);
  records::AppendArrowEnd(out);
  return out;
}

v1::ScanResponse Sent(const records::RecordBatch& batch) {
  v1::ScanResponse message;
  message.mutable_version()->set_version("7");
  message.set_arrow(ArrowOf(batch));
  return message;
}

ScanRequest PeopleRequest() {
  ScanRequest request;
  request.table = "people";
  request.fields = {{"ID", {"id", {records::TypeId::kInt64}}},
                    {"NAME", {"name", {records::TypeId::kUtf8}}}};
  request.key = {0};
  return request;
}

bool WaitUntilGivenUp(const grpc::ServerContext& context) {
  for (int i = 0; i < 2'000 && !context.IsCancelled(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return context.IsCancelled();
}

}  // namespace sluice::adapters::remote
