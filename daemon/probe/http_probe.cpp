#include "daemon/probe/http_probe.hpp"

#include <curl/curl.h>

#include <memory>
#include <string>

namespace foster::probe {
namespace {

constexpr long kStatusMin = 200;
constexpr long kStatusMax = 399;

/// A body that goes on and on says nothing more than its beginning.
constexpr size_t kBodyMax = 1024 * 1024;

struct Cleanup {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

/// libcurl takes any other number than `count` as the wish to end the transfer.
size_t discard(const char*, size_t, size_t count, void* seen) {
  size_t& bytes = *static_cast<size_t*>(seen);
  bytes += count;
  return bytes > kBodyMax ? 0 : count;
}

bool expected(long status, uint16_t wanted) {
  return wanted != 0 ? status == wanted : status >= kStatusMin && status <= kStatusMax;
}

}  // namespace

Result<void> probe_http(const HttpTarget& target, uint32_t timeout_ms) {
  const std::string what = "get " + target.url;
  // TLS takes a while to get ready.
  const bool secure = target.url.starts_with("https:");
  if (curl_global_init(secure ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING) != CURLE_OK)
    return failure(what, "libcurl does not start");
  const std::unique_ptr<CURL, Cleanup> handle(curl_easy_init());
  if (!handle) return failure(what, "libcurl does not start");
  char reason[CURL_ERROR_SIZE] = {};
  size_t seen = 0;
  bool set = true;
  const auto option = [&](CURLoption name, auto value) {
    set = curl_easy_setopt(handle.get(), name, value) == CURLE_OK && set;
  };
  option(CURLOPT_URL, target.url.c_str());
  option(CURLOPT_PROTOCOLS_STR, "http,https");
  option(CURLOPT_FOLLOWLOCATION, 0L);
  option(CURLOPT_PROXY, "");
  option(CURLOPT_NOSIGNAL, 1L);
  option(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  option(CURLOPT_USERAGENT, "foster-probe/" FOSTER_VERSION);
  option(CURLOPT_ERRORBUFFER, reason);
  option(CURLOPT_WRITEFUNCTION, discard);
  option(CURLOPT_WRITEDATA, &seen);
  if (!set) return failure(what, "this libcurl lacks an option");

  const CURLcode done = curl_easy_perform(handle.get());
  const bool body_cut = done == CURLE_WRITE_ERROR && seen > kBodyMax;
  if (done != CURLE_OK && !body_cut)
    return failure(what, reason[0] != '\0' ? reason : curl_easy_strerror(done));
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (expected(status, target.status)) return {};
  const std::string wanted =
      target.status != 0 ? std::to_string(target.status) : "one from 200 to 399";
  return failure(what, "the status is " + std::to_string(status) + ", not " + wanted);
}

}  // namespace foster::probe
