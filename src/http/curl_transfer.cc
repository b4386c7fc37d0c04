// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/curl_transfer.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/masked_text.h"

namespace ontapnvme::http {
namespace {

// A transfer that libcurl's own timer ended is as good as one that reached the deadline.
constexpr Duration kTimerSlack{50};

// More than an hour is no answer to "when": the retry policy refuses much less.
constexpr std::chrono::seconds kRetryAfterMax{3600};

// How long a connection may have been idle that a change goes out on. The changes of one task follow each
// other faster.
constexpr long kIdleBeforeChangeMaxS = 30;

constexpr const char* kTooLarge = "its answer is larger than any answer of an ONTAP";

const char* MethodName(Method method) {
  return ToString(method).data();  // the texts are literals
}

}  // namespace

void Transfer::Prepare(const CurlOptions& options, const Request& request, std::size_t index,
                       const Deadline& deadline, SocketSet& sockets) {
  options_ = &options;
  index_ = index;
  response_ = Response();
  header_bytes_ = 0;
  silence_max_ = request.silence_max;
  moved_at_ = deadline.clock().Now();
  bytes_seen_ = 0;
  limit_hit_ = nullptr;
  limit_bytes_ = options.limits.body_bytes_max;
  error_text_.fill('\0');
  header_list_.reset();

  CURL* easy = easy_.get();
  curl_easy_reset(easy);  // keeps connections and TLS sessions
  const std::string url = "https://" + options.Peer() + request.target;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // what was escaped stays as it is
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
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
    if (request.is_idempotent) {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());  // not copied
    } else {
      SetBodyThatIsSentOnce(request.body);
    }
  } else if (!request.is_idempotent) {
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);  // nothing else keeps it from being repeated
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, MethodName(request.method));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, header_list_.get());
}

// libcurl sends a request again by itself when a reused connection dies before the answer begins. It
// cannot where the body does not come a second time: the server then has either the whole request once
// or, of the first try, a header without its body, which it cannot carry out. libcurl 7.88 connects again
// before it asks for the body, so such a request may end with any error of connecting.
void Transfer::SetBodyThatIsSentOnce(const std::string& body) {
  CURL* easy = easy_.get();
  body_left_ = body;
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Transfer::OnMoreBody);
  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, &Transfer::OnBodyAgain);
  curl_easy_setopt(easy, CURLOPT_SEEKDATA, this);
  // Before it is reused libcurl looks whether a connection was closed. What a firewall forgot does not
  // show that way, and would cost a change its answer.
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kIdleBeforeChangeMaxS);
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

std::size_t Transfer::OnHeader(char*, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  transfer->header_bytes_ += bytes;
  if (transfer->header_bytes_ > transfer->options_->limits.header_bytes_max) {
    transfer->limit_bytes_ = transfer->options_->limits.header_bytes_max;
    transfer->limit_hit_ = "the header of its answer is larger than any of an ONTAP";
    return 0;
  }
  return bytes;
}

std::size_t Transfer::OnMoreBody(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  const std::string_view part = transfer->body_left_.substr(0, size * count);
  std::copy(part.begin(), part.end(), data);
  transfer->body_left_.remove_prefix(part.size());
  return part.size();
}

int Transfer::OnBodyAgain(void*, curl_off_t, int) {
  return CURL_SEEKFUNC_FAIL;
}

std::size_t Transfer::BytesSent() const {
  long bytes = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &bytes);
  return static_cast<std::size_t>(std::max(bytes, 0L));
}

// Connecting counts as silence too: it has a limit of its own, which is shorter.
bool Transfer::IsSilent(TimePoint now) {
  const std::size_t bytes = BytesSent() + header_bytes_ + response_.body.size();
  if (std::exchange(bytes_seen_, bytes) != bytes) moved_at_ = now;
  return std::chrono::duration_cast<Duration>(now - moved_at_) >= silence_max_;
}

int Transfer::Status() const {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

void Transfer::ReadHeader() {
  curl_header* location = nullptr;
  if (curl_easy_header(easy_.get(), "Location", 0, CURLH_HEADER, -1, &location) == CURLHE_OK) {
    response_.location = location->value;
  }
  curl_header* date = nullptr;
  if (curl_easy_header(easy_.get(), "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK) {
    const std::time_t seconds = curl_getdate(date->value, nullptr);
    if (seconds >= 0) response_.date = std::chrono::sys_seconds(std::chrono::seconds(seconds));
  }
  // 0 when there is none, or when it is over.
  curl_off_t wait_s = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &wait_s);
  if (wait_s > 0) {
    response_.retry_after =
        std::chrono::seconds(std::min<curl_off_t>(wait_s, kRetryAfterMax.count()));
  }
}

// The server did answer, so it has dealt with the request in some way.
Error Transfer::Refuse(const char* reason) const {
  return Error(ErrorCode::kUnavailable, "cannot use the answer of '" + options_->Peer() + "'")
      .Because(reason)
      .With("limit", std::to_string(limit_bytes_))
      .From({.http_status = Status(), .refusal = Refusal::kUnusablePeer})
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
  return Error(ErrorCode::kUnavailable, "'" + options_->Peer() + "' is not the array")
      .Because("it answers with a redirect to " + host + ", which is never followed")
      .With("http", std::to_string(response_.status))
      .From({.http_status = response_.status, .refusal = Refusal::kUnusablePeer})
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
                                   .peer = options_->Peer(),
                                   .is_sent = IsSent(),
                                   .is_budget_over = deadline.Remaining() <= kTimerSlack});
  }
  response_.status = Status();
  ReadHeader();
  if (response_.status >= 300 && response_.status < 400) return RedirectError();
  return std::move(response_);
}

TransferFailure Transfer::Timeout() const {
  TransferFailure failure;
  failure.curl_code = CURLE_OPERATION_TIMEDOUT;
  failure.peer = options_->Peer();
  failure.is_sent = IsSent();
  return failure;
}

Error Transfer::GiveUp() const {
  TransferFailure failure = Timeout();
  failure.silence = silence_max_;
  return ExplainTransferFailure(failure);
}

Error Transfer::Stop(const Deadline& deadline) {
  if (!deadline.Interrupted()) {
    TransferFailure failure = Timeout();
    failure.is_budget_over = true;
    return ExplainTransferFailure(failure);
  }
  Error error(ErrorCode::kInterrupted,
              "stopped by a signal while waiting for '" + options_->Peer() + "'");
  return IsSent() ? std::move(error).OutcomeUnknown() : error;
}

}  // namespace ontapnvme::http
