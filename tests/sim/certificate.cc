// SPDX-License-Identifier: AGPL-3.0-or-later
#include "certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <set>
#include <stdexcept>

namespace ontapnvme::sim {
namespace {

constexpr long kValidSeconds = 7L * 24 * 3600;
constexpr long kValidSinceSeconds = -3600;  // clocks of virtual machines run late
constexpr long kVersion3 = 2;

using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;

void Require(bool is_done, const char* what) {
  if (!is_done) throw std::runtime_error(std::string("OpenSSL cannot ") + what);
}

Key NewKey() {
  Key key(EVP_EC_gen("P-256"));
  Require(key != nullptr, "make a key");
  return key;
}

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  Require(extension != nullptr, "make an extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Named, keyed and dated; extensions and the signature follow.
Certificate NewCertificate(const std::string& name, EVP_PKEY* key) {
  Certificate certificate(X509_new());
  Require(certificate != nullptr, "make a certificate");
  X509_set_version(certificate.get(), kVersion3);
  // Serial numbers must differ, or a client that saw an earlier run refuses this one.
  unsigned char serial[8];
  Require(RAND_bytes(serial, sizeof serial) == 1, "make random numbers");
  serial[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), kValidSinceSeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValidSeconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

std::string ToPem(X509* certificate) {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate);
  char* data = nullptr;
  const long length = BIO_get_mem_data(memory, &data);
  std::string pem(data, static_cast<std::size_t>(length));
  BIO_free(memory);
  return pem;
}

std::string AlternativeNames(const std::vector<std::string>& addresses) {
  std::set<std::string> names = {"DNS:localhost", "IP:127.0.0.1"};
  // 0.0.0.0 and :: are no addresses that a client connects to.
  for (const std::string& address : addresses) {
    if (address != "0.0.0.0" && address != "::") names.insert("IP:" + address);
  }
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ",") + name;
  return list;
}

}  // namespace

ServerIdentity MakeServerIdentity(const std::vector<std::string>& addresses) {
  const Key ca_key = NewKey();
  const Certificate ca = NewCertificate("ontap-sim CA", ca_key.get());
  X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
  AddExtension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  Require(X509_sign(ca.get(), ca_key.get(), EVP_sha256()) != 0, "sign");

  ServerIdentity identity;
  identity.key = NewKey();
  identity.certificate = NewCertificate("ontap-sim", identity.key.get());
  X509* server = identity.certificate.get();
  X509_set_issuer_name(server, X509_get_subject_name(ca.get()));
  AddExtension(server, ca.get(), NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(server, ca.get(), NID_ext_key_usage, "serverAuth");
  AddExtension(server, ca.get(), NID_authority_key_identifier, "keyid");
  AddExtension(server, ca.get(), NID_subject_alt_name, AlternativeNames(addresses));
  Require(X509_sign(server, ca_key.get(), EVP_sha256()) != 0, "sign");
  identity.ca_pem = ToPem(ca.get());
  return identity;
}

}  // namespace ontapnvme::sim
