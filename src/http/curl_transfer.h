// SPDX-License-Identifier: AGPL-3.0-or-later
// One request on one libcurl easy handle. Private to the http layer: shows libcurl's types.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "http/curl_errors.h"
#include "http/curl_options.h"
#include "http/socket_set.h"
#include "http/transport.h"

namespace ontapnvme::http {

// A slot for transfers, one after the other: the handle keeps its TLS sessions between them.
class Transfer {
 public:
  explicit Transfer(CURL* easy) : easy_(easy) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* easy() const { return easy_.get(); }
  std::size_t index() const { return index_; }

  // Prepares the handle for the request; `index` is the caller's number for it. Everything given is
  // borrowed until Finish().
  void Prepare(const CurlOptions& options, const Request& request, std::size_t index,
               const Deadline& deadline, SocketSet& sockets);
  // What came of it, once libcurl is done with it.
  Result<Response> Finish(CURLcode code, const Deadline& deadline);
  // The same for a transfer that the caller ends before libcurl does: the call is over or stopped, or
  // the server has been silent for too long.
  Error Stop(const Deadline& deadline);
  Error GiveUp() const;
  // Whether it has been. To be asked again and again while the transfer runs.
  bool IsSilent(TimePoint now);

 private:
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  void SetSecurity();
  void SetCredentials();
  void SetBody(const Request& request);
  void SetBodyThatIsSentOnce(const std::string& body);
  void SetTimes(const Deadline& deadline);
  void SetCallbacks();
  void AddHeader(const std::string& line);
  std::size_t BytesSent() const;
  bool IsSent() const { return BytesSent() > 0; }
  int Status() const;  // of the answer; 0 before there is one
  void ReadHeader();
  TransferFailure Timeout() const;
  Error Refuse(const char* reason) const;
  Error RedirectError() const;
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnMoreBody(char* data, std::size_t size, std::size_t count, void* self);
  static int OnBodyAgain(void* self, curl_off_t offset, int origin);

  std::unique_ptr<CURL, FreeEasy> easy_;
  std::unique_ptr<curl_slist, FreeList> header_list_;
  const CurlOptions* options_ = nullptr;
  std::size_t index_ = 0;
  std::string_view body_left_;  // of a request that is sent once
  Response response_;
  std::size_t header_bytes_ = 0;
  Duration silence_max_ = Duration::max();
  TimePoint moved_at_;               // when bytes last went out or came in
  std::size_t bytes_seen_ = 0;       // then, both ways
  const char* limit_hit_ = nullptr;  // why a callback of ours stopped the transfer
  std::size_t limit_bytes_ = 0;      // which limit that was
  std::array<char, CURL_ERROR_SIZE> error_text_{};
};

}  // namespace ontapnvme::http
