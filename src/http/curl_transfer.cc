// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/curl_transfer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "base/masked_text.h"
#include "http/answer_header.h"
#include "http/curl_errors.h"

namespace ontapnvme::http {
namespace {

// A transfer that libcurl's own timer ended is as good as one that reached the deadline.
constexpr Duration kTimerSlack{50};

constexpr const char* kTooLarge = "its answer is larger than any answer of an ONTAP";

const char* MethodName(Method method) {
  return ToString(method).data();  // the texts are literals
}

}  // namespace

std::string PeerName(const CurlOptions& options) {
  const bool is_ipv6 = options.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + options.host + "]" : options.host;
  return host + ":" + std::to_string(options.port);
}

void SocketSet::Attach(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &SocketSet::Open);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &SocketSet::Close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

curl_socket_t SocketSet::Open(void* self, curlsocktype, curl_sockaddr* address) {
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  try {
    static_cast<SocketSet*>(self)->fds_.insert(fd);
  } catch (const std::bad_alloc&) {  // must not unwind through libcurl's frames
    ::close(fd);
    return CURL_SOCKET_BAD;
  }
  return fd;
}

int SocketSet::Close(void* self, curl_socket_t fd) {
  static_cast<SocketSet*>(self)->fds_.erase(fd);
  return ::close(fd);
}

void SocketSet::CloseInheritedCopies() {
  for (const int fd : fds_) ::close(fd);
  fds_.clear();
}

void Transfer::Prepare(const CurlOptions& options, const Request& request, std::size_t index,
                       const Deadline& deadline, SocketSet& sockets) {
  options_ = &options;
  clock_ = &deadline.clock();
  index_ = index;
  response_ = Response();
  header_bytes_ = 0;
  limit_hit_ = nullptr;
  error_text_.fill('\0');
  header_list_.reset();

  CURL* easy = easy_.get();
  curl_easy_reset(easy);  // keeps connections and TLS sessions
  const std::string url = "https://" + PeerName(options) + request.target;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // what was escaped stays as it is
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
  // libcurl sends a request again by itself when a reused connection turns out dead.
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request.is_idempotent ? 0L : 1L);
  SetSecurity();
  SetCredentials();
  SetBody(request);
  SetTimes(deadline);
  SetCallbacks();
  sockets.Attach(easy);
}

void Transfer::SetSecurity() {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  // Not even from the environment: the management network is reached directly.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options_->verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options_->verify ? 2L : 0L);
  if (options_->ca_file.empty()) return;
  curl_easy_setopt(easy, CURLOPT_CAINFO, options_->ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // that file and nothing besides
}

void Transfer::SetCredentials() {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  curl_easy_setopt(easy, CURLOPT_USERNAME, options_->username.c_str());
  std::string password(options_->password.Reveal());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, password.c_str());
  WipeText(password);
}

void Transfer::SetBody(const Request& request) {
  CURL* easy = easy_.get();
  AddHeader("Accept: application/hal+json, application/json");
  AddHeader("Expect:");  // no round trip to ask whether a small body is welcome
  if (!options_->client_app.empty()) AddHeader("X-Dot-Client-App: " + options_->client_app);
  if (request.method == Method::kGet) curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  // A body on GET or DELETE is refused by ONTAP (code 262198).
  const bool has_body = request.method == Method::kPost || request.method == Method::kPatch;
  if (has_body) {
    AddHeader("Content-Type: application/json");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());  // not copied
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, MethodName(request.method));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, header_list_.get());
}

void Transfer::SetTimes(const Deadline& deadline) {
  CURL* easy = easy_.get();
  const Duration left = std::max(deadline.Remaining(), Duration{1});
  const Duration connect = std::min(left, options_->limits.connect_timeout);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  // A name server that does not answer must not hold the call beyond its deadline: do not wait for
  // libcurl's resolver when the transfer is over.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

void Transfer::SetCallbacks() {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  // An answer that says beforehand that it is too large is not waited for.
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                   static_cast<curl_off_t>(options_->limits.body_bytes_max));
}

void Transfer::AddHeader(const std::string& line) {
  curl_slist* longer = curl_slist_append(header_list_.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  (void)header_list_.release();
  header_list_.reset(longer);
}

std::size_t Transfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  std::string& body = transfer->response_.body;
  if (bytes > transfer->options_->limits.body_bytes_max - body.size()) {
    transfer->limit_hit_ = kTooLarge;
    return 0;
  }
  try {
    body.append(data, bytes);
  } catch (const std::bad_alloc&) {
    transfer->limit_hit_ = "there is no memory for its answer";
    return 0;
  }
  return bytes;
}

std::size_t Transfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  transfer->header_bytes_ += bytes;
  if (transfer->header_bytes_ > transfer->options_->limits.header_bytes_max) {
    transfer->limit_hit_ = "the header of its answer is larger than any of an ONTAP";
    return 0;
  }
  try {
    ReadHeaderLine(std::string_view(data, bytes), *transfer->clock_, transfer->response_);
  } catch (const std::bad_alloc&) {
    transfer->limit_hit_ = "there is no memory for its answer";
    return 0;
  }
  return bytes;
}

bool Transfer::IsSent() const {
  long request_bytes = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &request_bytes);
  return request_bytes > 0;
}

// The server did answer, so it has dealt with the request in some way.
Error Transfer::Refuse(const char* reason) const {
  return Error(ErrorCode::kUnavailable, "cannot use the answer of '" + PeerName(*options_) + "'")
      .Because(reason)
      .With("limit", "exceeded")
      .OutcomeUnknown();
}

Error Transfer::RedirectError() const {
  std::string host = "another path";
  if (CURLU* url = curl_url()) {
    char* text = nullptr;
    if (curl_url_set(url, CURLUPART_URL, response_.location.c_str(), 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &text, 0) == CURLUE_OK) {
      host = "'" + CleanText(MaskedText(text, {options_->password})) + "'";
    }
    curl_free(text);
    curl_url_cleanup(url);
  }
  return Error(ErrorCode::kUnavailable, "'" + PeerName(*options_) + "' is not the array")
      .Because("it answers with a redirect to " + host + ", which is never followed")
      .With("http", std::to_string(response_.status))
      .Try("set mgmt_ip to the management LIF of the cluster or the SVM");
}

Result<Response> Transfer::Finish(CURLcode code, const Deadline& deadline) {
  if (limit_hit_ != nullptr) return Refuse(limit_hit_);
  if (code == CURLE_FILESIZE_EXCEEDED) return Refuse(kTooLarge);
  if (code != CURLE_OK) {
    long verify_result = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_SSL_VERIFYRESULT, &verify_result);
    return ExplainTransferFailure({.curl_code = code,
                                   .verify_result = verify_result,
                                   .error_text = error_text_.data(),
                                   .peer = PeerName(*options_),
                                   .is_sent = IsSent(),
                                   .is_budget_over = deadline.Remaining() <= kTimerSlack});
  }
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  if (status >= 300 && status < 400) return RedirectError();
  return std::move(response_);
}

Error Transfer::Stop(const Deadline& deadline) {
  if (!deadline.Interrupted()) {
    TransferFailure failure;
    failure.curl_code = CURLE_OPERATION_TIMEDOUT;
    failure.peer = PeerName(*options_);
    failure.is_sent = IsSent();
    failure.is_budget_over = true;
    return ExplainTransferFailure(failure);
  }
  Error error(ErrorCode::kInterrupted,
              "stopped by a signal while waiting for '" + PeerName(*options_) + "'");
  return IsSent() ? std::move(error).OutcomeUnknown() : error;
}

}  // namespace ontapnvme::http
