// A gateway that answers as a test says, and keeps what it was asked. One thread.
//
//   gateway.On(kGetGrant, [](const v1::GetGrantRequest&) { return answer; });
//   ...
//   gateway.Asked(kGetGrant).back().id()
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/gateway.h"

namespace sluice::cli {

class FakeGateway {
 public:
  template <class M, class Handler>
  void On(const M& method, Handler handler) {
    handlers_[method.path] = [this, path = std::string(method.path), handler](
                                 const google::protobuf::Message& request,
                                 google::protobuf::Message& response) -> absl::Status {
      asked_[path].push_back(request.SerializeAsString());
      absl::StatusOr<typename M::Response> answer =
          handler(static_cast<const typename M::Request&>(request));
      if (!answer.ok()) return answer.status();
      static_cast<typename M::Response&>(response) = *std::move(answer);
      return absl::OkStatus();
    };
  }
  template <class M>
  void Answer(const M& method, const typename M::Response& response) {
    On(method, [response](const typename M::Request&) { return response; });
  }
  template <class M>
  void Refuse(const M& method, const absl::Status& status) {
    On(method, [status](const typename M::Request&) { return status; });
  }

  // Requests of that method so far, in order.
  template <class M>
  std::vector<typename M::Request> Asked(const M& method) const {
    std::vector<typename M::Request> requests;
    const auto asked = asked_.find(method.path);
    if (asked == asked_.end()) return requests;
    for (const std::string& bytes : asked->second) requests.emplace_back().ParseFromString(bytes);
    return requests;
  }

  // This outlives it.
  std::unique_ptr<Gateway> Connect();

 private:
  using Handler =
      std::function<absl::Status(const google::protobuf::Message&, google::protobuf::Message&)>;
  class Connection;

  std::map<std::string, Handler> handlers_;
  std::map<std::string, std::vector<std::string>> asked_;
};

}  // namespace sluice::cli
