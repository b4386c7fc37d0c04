// SPDX-License-Identifier: AGPL-3.0-or-later
// An HTTPS server on the loopback interface inside the test, which answers with whatever bytes a
// test wants and counts its connections.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace ontapnvme::http::testing {

struct FreeX509 {
  void operator()(X509* x) const { X509_free(x); }
};
struct FreeKey {
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};
struct FreeContext {
  void operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
};

struct Certificate {
  std::unique_ptr<X509, FreeX509> x509;
  std::unique_ptr<EVP_PKEY, FreeKey> key;
};

struct CertificateSpec {
  std::string common_name = "test";
  std::string alternative_name = "IP:127.0.0.1";  // as in OpenSSL's subjectAltName
  long not_before_seconds = -3600;                // from now
  long not_after_seconds = 3600;
  bool is_ca = false;
};

// Signed by `issuer`, or by itself.
Certificate MakeCertificate(const CertificateSpec& spec, const Certificate* issuer = nullptr);

// A file in the temporary folder, removed with this object.
class PemFile {
 public:
  explicit PemFile(const X509* certificate);
  ~PemFile();
  PemFile(const PemFile&) = delete;
  PemFile& operator=(const PemFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Reply {
  std::string bytes = {};     // a whole HTTP answer
  bool closes = false;        // the connection, after the bytes
  bool is_held = false;       // nothing is sent until the server stops
  bool is_slow = false;       // the bytes go out one by one, with 20 ms in between
  std::string repeated = {};  // follows the bytes again and again, until the client goes away
};

// An answer with this status, header lines (each with its CRLF) and body.
std::string HttpAnswer(int status, const std::string& body, const std::string& headers = "");

class TlsServer {
 public:
  // Called with each request, header and body, on the thread of its connection.
  using Handler = std::function<Reply(const std::string& request)>;

  TlsServer(const Certificate& certificate, Handler handler);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // From now on a new connection is refused; those that there are stay.
  void StopListening();
  unsigned port() const { return port_; }
  int connections() const { return connections_; }  // accepted with a finished handshake
  int most_at_once() const { return most_at_once_; }
  std::vector<std::string> requests() const;

 private:
  void AcceptLoop();
  void Serve(int fd);
  bool ServeRequest(SSL* tls, std::string& buffer);
  bool Send(SSL* tls, const Reply& reply) const;

  std::unique_ptr<SSL_CTX, FreeContext> context_;
  Handler handler_;
  int listener_ = -1;
  unsigned port_ = 0;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<int> open_ = 0;
  std::atomic<int> most_at_once_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::set<int> open_fds_;
  std::vector<std::string> requests_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace ontapnvme::http::testing
