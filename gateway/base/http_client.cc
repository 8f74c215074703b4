#include "gateway/base/http_client.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice {
namespace {

struct Body {
  std::string bytes;
  size_t most = 0;
};

size_t Receive(const char* data, size_t, size_t count, void* target) {
  Body& body = *static_cast<Body*>(target);
  if (body.bytes.size() + count > body.most) return 0;  // ends the transfer
  body.bytes.append(data, count);
  return count;
}

// Called about once a second, and as bytes come.
int GiveUp(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

void UseTls(CURL* handle, const HttpTls& tls) {
  if (!tls.authorities.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, tls.authorities.c_str());
  if (tls.certificate.empty()) return;
  curl_easy_setopt(handle, CURLOPT_SSLCERT, tls.certificate.c_str());
  curl_easy_setopt(handle, CURLOPT_SSLKEY, tls.key.c_str());
}

}  // namespace

absl::StatusOr<HttpReply> HttpSend(const HttpCall& call) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return absl::UnavailableError("libcurl cannot be used");
  const std::unique_ptr<CURL, CloseHandle> owned(curl_easy_init());
  CURL* const handle = owned.get();
  Body body;
  body.most = call.most_bytes;
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(handle, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout / kMillisecond));
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Receive);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
  UseTls(handle, call.tls);
  std::unique_ptr<curl_slist, FreeList> headers;
  if (call.body.has_value()) {
    headers.reset(curl_slist_append(nullptr, "Content-Type: text/plain; charset=utf-8"));
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(call.body->size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.body->data());
  }
  if (call.stop != nullptr) {
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &GiveUp);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, call.stop);
  }
  const CURLcode result = curl_easy_perform(handle);
  if (result != CURLE_OK)
    return absl::UnavailableError(
        absl::StrCat(call.url, ": ", error[0] != '\0' ? error : curl_easy_strerror(result)));
  HttpReply reply;
  long status = 0;
  const char* type = nullptr;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
  reply.status = static_cast<int>(status);
  if (type != nullptr) reply.type = type;
  reply.body = std::move(body.bytes);
  return reply;
}

absl::StatusOr<std::string> HttpGet(const std::string& url, Micros timeout, size_t most_bytes,
                                    const HttpTls& tls) {
  HttpCall call;
  call.url = url;
  call.timeout = timeout;
  call.most_bytes = most_bytes;
  call.tls = tls;
  SLUICE_ASSIGN_OR_RETURN(HttpReply reply, HttpSend(call));
  if (reply.status != 200)
    return absl::UnavailableError(absl::StrCat(url, ": HTTP status ", reply.status));
  return std::move(reply.body);
}

}  // namespace sluice
