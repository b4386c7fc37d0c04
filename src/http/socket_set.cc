// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/socket_set.h"

#include <sys/socket.h>
#include <unistd.h>

#include <new>

namespace ontapnvme::http {

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

}  // namespace ontapnvme::http
