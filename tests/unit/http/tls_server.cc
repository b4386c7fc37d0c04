// SPDX-License-Identifier: AGPL-3.0-or-later
#include "unit/http/tls_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace ontapnvme::http::testing {
namespace {

void Require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("TLS test server: ") + what);
}

void AddExtension(X509* x509, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  Require(extension != nullptr, "bad extension");
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
}

std::size_t BodyLength(const std::string& header) {
  constexpr std::string_view kName = "Content-Length: ";
  const auto at = header.find(kName);
  if (at == std::string::npos) return 0;
  return std::strtoul(header.c_str() + at + kName.size(), nullptr, 10);
}

}  // namespace

Certificate MakeCertificate(const CertificateSpec& spec, const Certificate* issuer) {
  static std::atomic<long> serial = 1;
  Certificate made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.x509.reset(X509_new());
  X509* x509 = made.x509.get();
  Require(x509 != nullptr && made.key != nullptr, "no memory");
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x509), spec.not_before_seconds);
  X509_gmtime_adj(X509_getm_notAfter(x509), spec.not_after_seconds);
  X509_set_pubkey(x509, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(spec.common_name.c_str()), -1,
                             -1, 0);
  const X509* signer = issuer == nullptr ? x509 : issuer->x509.get();
  X509_set_issuer_name(x509, X509_get_subject_name(signer));
  AddExtension(x509, NID_basic_constraints, spec.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (!spec.is_ca) AddExtension(x509, NID_subject_alt_name, spec.alternative_name);
  EVP_PKEY* signing_key = issuer == nullptr ? made.key.get() : issuer->key.get();
  Require(X509_sign(x509, signing_key, EVP_sha256()) > 0, "cannot sign");
  return made;
}

PemFile::PemFile(const X509* certificate) {
  path_ = ::testing::TempDir() + "/ontapnvme-ca-XXXXXX";
  const int fd = ::mkstemp(path_.data());
  Require(fd >= 0, "no temporary file");
  FILE* file = ::fdopen(fd, "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
}

PemFile::~PemFile() {
  ::unlink(path_.c_str());
}

std::string HttpAnswer(int status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(status) + " x\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TlsServer::TlsServer(const Certificate& certificate, Handler handler)
    : context_(SSL_CTX_new(TLS_server_method())), handler_(std::move(handler)) {
  SSL_CTX_use_certificate(context_.get(), certificate.x509.get());
  SSL_CTX_use_PrivateKey(context_.get(), certificate.key.get());

  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  Require(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "bind");
  Require(::listen(listener_, 16) == 0, "listen");
  socklen_t length = sizeof(address);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ::ntohs(address.sin_port);
  // A client that goes away while it is written to is no reason to die, and the test's own thread
  // keeps its signals: threads inherit the mask.
  sigset_t pipe;
  sigset_t before;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  acceptor_ = std::thread([this] { AcceptLoop(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void TlsServer::StopListening() {
  ::shutdown(listener_, SHUT_RDWR);
}

TlsServer::~TlsServer() {
  is_stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_fds_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& worker : workers_) worker.join();
  ::close(listener_);
}

std::vector<std::string> TlsServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void TlsServer::AcceptLoop() {
  while (!is_stopping_) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::lock_guard lock(mutex_);
    open_fds_.insert(fd);
    workers_.emplace_back([this, fd] { Serve(fd); });
  }
}

void TlsServer::Serve(int fd) {
  SSL* tls = SSL_new(context_.get());
  SSL_set_fd(tls, fd);
  if (SSL_accept(tls) == 1) {
    ++connections_;
    const int open = ++open_;
    int most = most_at_once_;
    while (open > most && !most_at_once_.compare_exchange_weak(most, open)) continue;
    std::string buffer;
    while (!is_stopping_ && ServeRequest(tls, buffer)) continue;
    --open_;
  }
  SSL_free(tls);
  const std::lock_guard lock(mutex_);
  open_fds_.erase(fd);
  ::close(fd);
}

// False when the connection is to be closed.
bool TlsServer::ServeRequest(SSL* tls, std::string& buffer) {
  constexpr std::string_view kHeaderEnd = "\r\n\r\n";
  std::array<char, 16384> chunk;
  std::size_t whole = 0;
  while (whole == 0 || buffer.size() < whole) {
    const auto end = buffer.find(kHeaderEnd);
    if (end != std::string::npos) {
      whole = end + kHeaderEnd.size() + BodyLength(buffer.substr(0, end + 2));
      if (buffer.size() >= whole) break;
    }
    const int got = SSL_read(tls, chunk.data(), static_cast<int>(chunk.size()));
    if (got <= 0) return false;
    buffer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  const std::string request = buffer.substr(0, whole);
  buffer.erase(0, whole);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  const Reply reply = handler_(request);
  if (reply.is_held) {
    // Until the client gives up or the server stops; both end the read.
    return SSL_read(tls, chunk.data(), 1) > 0;
  }
  return Send(tls, reply) && !reply.closes;
}

bool TlsServer::Send(SSL* tls, const Reply& reply) const {
  const auto send = [&](std::string_view bytes) {
    const std::size_t most = reply.is_slow ? 1 : std::size_t{1} << 20U;
    while (!bytes.empty() && !is_stopping_) {
      const int sent = SSL_write(tls, bytes.data(), static_cast<int>(std::min(bytes.size(), most)));
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      pollfd gone{.fd = SSL_get_fd(tls), .events = POLLIN, .revents = 0};
      if (reply.is_slow && ::poll(&gone, 1, 20) != 0) return false;
    }
    return true;
  };
  if (!send(reply.bytes)) return false;
  while (!reply.repeated.empty() && !is_stopping_) {
    if (!send(reply.repeated)) return false;
  }
  return true;
}

}  // namespace ontapnvme::http::testing
