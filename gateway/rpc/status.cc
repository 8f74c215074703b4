#include "gateway/rpc/status.h"

#include "absl/strings/cord.h"
#include "gateway/base/error.h"
#include "google/rpc/error_details.pb.h"

namespace sluice::rpc {

grpc::Status ToGrpc(const absl::Status& whole) {
  if (whole.ok()) return grpc::Status::OK;
  absl::Status status = whole;
  RemoveOperatorNote(status);
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(std::string(status.message()));
  status.ForEachPayload([&details](absl::string_view url, const absl::Cord& payload) {
    google::protobuf::Any* detail = details.add_details();
    detail->set_type_url(std::string(url));
    detail->set_value(std::string(payload));
  });
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), details.message(),
                      details.SerializeAsString());
}

}  // namespace sluice::rpc
