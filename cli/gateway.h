// A gateway as the commands see it: named calls that take a message and give one, or many.
//
//   SLUICE_ASSIGN_OR_RETURN(const v1::WhoAmIResponse who, Call(gateway, kWhoAmI, {}));
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/profile.h"
#include "gateway/base/clock.h"
#include "google/protobuf/message.h"

namespace sluice::cli {

class Gateway {
 public:
  virtual ~Gateway() = default;
  // `path` as gRPC has it: "/sluice.v1.Registry/WhoAmI". Blocks, at most for the deadline that it
  // was made with. The gateway's errors come with their details; errors of the connection are
  // LocalError, in words that say what to do.
  virtual absl::Status Invoke(const char* path, const google::protobuf::Message& request,
                              google::protobuf::Message& response) = 0;
  // A call that gives many: `each` is told after each message was parsed into `response`, on this
  // thread; the next is taken only when it returns. What it returns, if not OK, ends the call and
  // is the result. `deadline` is from now on; 0: none but the gateway's.
  virtual absl::Status Stream(const char* path, const google::protobuf::Message& request,
                              google::protobuf::Message& response, Micros deadline,
                              const std::function<absl::Status()>& each) = 0;
};

// Opens no connection yet. `deadline` is each call's.
using Connector = std::function<absl::StatusOr<std::unique_ptr<Gateway>>(const Profile& profile,
                                                                         Micros deadline)>;

// One method of the API; methods.h has them all.
template <class RequestMessage, class ResponseMessage>
struct Method {
  using Request = RequestMessage;
  using Response = ResponseMessage;
  const char* path;
};

template <class M>
absl::StatusOr<typename M::Response> Call(Gateway& gateway, const M& method,
                                          const typename M::Request& request) {
  typename M::Response response;
  const absl::Status status = gateway.Invoke(method.path, request, response);
  if (!status.ok()) return status;
  return response;
}

template <class M>
absl::Status CallStream(Gateway& gateway, const M& method, const typename M::Request& request,
                        Micros deadline,
                        const std::function<absl::Status(typename M::Response&)>& each) {
  typename M::Response response;
  return gateway.Stream(method.path, request, response, deadline, [&] { return each(response); });
}

}  // namespace sluice::cli
