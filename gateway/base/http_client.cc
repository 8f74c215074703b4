#include "gateway/base/http_client.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/str_cat.h"

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

}  // namespace

absl::StatusOr<std::string> HttpGet(const std::string& url, Micros timeout, size_t most_bytes) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return absl::UnavailableError("libcurl cannot be used");
  struct Closer {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  std::unique_ptr<CURL, Closer> handle(curl_easy_init());
  Body body;
  body.most = most_bytes;
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout / kMillisecond));
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &Receive);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, error);
  const CURLcode result = curl_easy_perform(handle.get());
  if (result != CURLE_OK)
    return absl::UnavailableError(
        absl::StrCat(url, ": ", error[0] != '\0' ? error : curl_easy_strerror(result)));
  long code = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &code);
  if (code != 200) return absl::UnavailableError(absl::StrCat(url, ": HTTP status ", code));
  return std::move(body.bytes);
}

}  // namespace sluice
