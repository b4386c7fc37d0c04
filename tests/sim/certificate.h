// SPDX-License-Identifier: AGPL-3.0-or-later
// A certificate authority and a server certificate that live as long as the process.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace ontapnvme::sim {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

struct ServerIdentity {
  std::string ca_pem;  // what clients are to trust
  std::unique_ptr<EVP_PKEY, FreeKey> key;
  std::unique_ptr<X509, FreeCertificate> certificate;
};

// For localhost and the given addresses. Throws std::runtime_error when OpenSSL refuses.
ServerIdentity MakeServerIdentity(const std::vector<std::string>& addresses);

}  // namespace ontapnvme::sim
