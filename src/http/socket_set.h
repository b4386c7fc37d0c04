// SPDX-License-Identifier: AGPL-3.0-or-later
// The sockets of one libcurl session. Private to the http layer: shows libcurl's types.
#pragma once

#include <curl/curl.h>

#include <set>

namespace ontapnvme::http {

// The sockets that libcurl has open for one session. They are close-on-exec from birth, so that no
// VM process inherits one, and known by number, so that a forked child can drop its copies.
class SocketSet {
 public:
  // Makes libcurl open and close the sockets of `easy` through this set, which outlives it.
  void Attach(CURL* easy);
  // Remembers a descriptor that libcurl opened by other means.
  void Adopt(int fd) { fds_.insert(fd); }
  // Closes all behind libcurl's back: for a child that must not speak on them.
  void CloseInheritedCopies();

 private:
  static curl_socket_t Open(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int Close(void* self, curl_socket_t fd);
  std::set<int> fds_;
};

}  // namespace ontapnvme::http
