// SPDX-License-Identifier: AGPL-3.0-or-later
// One request on one libcurl easy handle. Private to the http layer: the only header that shows
// libcurl's types.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include "http/curl_transport.h"

namespace ontapnvme::http {

// The sockets that libcurl has open for one session. They are close-on-exec from birth, so that no
// VM process inherits one, and known by number, so that a forked child can drop its copies.
class SocketSet {
 public:
  // Tells libcurl to open and close the sockets of `easy` through this set, which outlives it.
  void Attach(CURL* easy);
  // Remembers a descriptor that libcurl opened by other means.
  void Adopt(int fd) { fds_.insert(fd); }
  // Closes all without telling libcurl: for a child that must not speak on them.
  void CloseInheritedCopies();

 private:
  static curl_socket_t Open(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int Close(void* self, curl_socket_t fd);
  std::set<int> fds_;
};

// "host:port" as it stands in a message, with brackets around an IPv6 address.
std::string PeerName(const CurlOptions& options);

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
  // The same for a transfer that the caller ends before libcurl does.
  Error Stop(const Deadline& deadline);

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
  void SetTimes(const Deadline& deadline);
  void SetCallbacks();
  void AddHeader(const std::string& line);
  bool IsSent() const;
  Error Refuse(const char* reason) const;
  Error RedirectError() const;
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);

  std::unique_ptr<CURL, FreeEasy> easy_;
  std::unique_ptr<curl_slist, FreeList> header_list_;
  const CurlOptions* options_ = nullptr;
  Clock* clock_ = nullptr;
  std::size_t index_ = 0;
  Response response_;
  std::size_t header_bytes_ = 0;
  const char* limit_hit_ = nullptr;  // why a callback of ours stopped the transfer
  std::array<char, CURL_ERROR_SIZE> error_text_{};
};

}  // namespace ontapnvme::http
