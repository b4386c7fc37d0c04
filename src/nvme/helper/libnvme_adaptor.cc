// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/helper/libnvme_adaptor.h"

// Its own headers are <nvme/fabrics.h>, <nvme/tree.h> and so on: no header of this folder may have
// one of their names (api-types, fabrics, filters, ioctl, linux, log, mi, nbft, tree, types, util).
#include <libnvme.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "base/errno_text.h"

namespace ontapnvme::nvme {
namespace {

struct FreeTree {
  void operator()(nvme_root* root) const { nvme_free_tree(root); }
};
struct FreeText {
  void operator()(char* text) const { ::free(text); }
};

void ListSubsystem(nvme_subsystem_t subsystem, std::vector<ListedNamespace>& listed) {
  const char* const nqn = nvme_subsystem_get_nqn(subsystem);
  for (nvme_ns_t each = nvme_subsystem_first_ns(subsystem); each != nullptr;
       each = nvme_subsystem_next_ns(subsystem, each)) {
    // Not nvme_ns_get_uuid(): from 1.7 to 1.16 it returns the first 16 characters of the text
    // instead of the 16 bytes (libnvme 03297d8b).
    const std::unique_ptr<char, FreeText> uuid(nvme_get_ns_attr(each, "uuid"));
    const char* const name = nvme_ns_get_name(each);
    if (uuid && name != nullptr) listed.push_back({name, uuid.get(), nqn != nullptr ? nqn : ""});
  }
}

}  // namespace

Result<std::vector<ListedNamespace>> ScanTopology() {
  constexpr int kLogNothing = -1;
  const std::unique_ptr<nvme_root, FreeTree> root(nvme_create_root(nullptr, kLogNothing));
  if (!root) return Error(ErrorCode::kInternal, "libnvme gives no root object");
  if (nvme_scan_topology(root.get(), nullptr, nullptr) != 0) {
    if (errno == ENOENT) return std::vector<ListedNamespace>();  // no NVMe driver is loaded
    return Error(ErrorCode::kInternal, "libnvme cannot scan").Because(ErrnoText(errno));
  }
  std::vector<ListedNamespace> listed;
  for (nvme_host_t host = nvme_first_host(root.get()); host != nullptr;
       host = nvme_next_host(root.get(), host)) {
    for (nvme_subsystem_t subsystem = nvme_first_subsystem(host); subsystem != nullptr;
         subsystem = nvme_next_subsystem(host, subsystem)) {
      ListSubsystem(subsystem, listed);
    }
  }
  return listed;
}

#if ONTAPNVME_LIBNVME_HAS_TLS_KEYS

namespace {

struct WipeKey {
  std::size_t bytes;
  void operator()(unsigned char* key) const {
    ::explicit_bzero(key, bytes);
    ::free(key);
  }
};

// The number of the key of that identity, if the keyring has it. The identity of version 1, which
// the interchange form stands for, holds a digest of the key: what has the identity is the key.
long FindTlsKey(const std::string& host_nqn, const std::string& subsystem_nqn, int version,
                int hmac, unsigned char* raw, std::size_t bytes) {
  // Keys are searched in what hangs on the session.
  if (nvme_set_keyring(nvme_lookup_keyring(nullptr)) < 0) return 0;
  const std::unique_ptr<char, FreeText> identity(nvme_generate_tls_key_identity(
      host_nqn.c_str(), subsystem_nqn.c_str(), version, hmac, raw, static_cast<int>(bytes)));
  return identity ? nvme_lookup_key("psk", identity.get()) : 0;
}

}  // namespace

Result<long> InsertTlsKey(const Secret& key, const std::string& host_nqn,
                          const std::string& subsystem_nqn) {
  std::string text(key.Reveal());
  unsigned char version = 0;
  unsigned char hmac = 0;
  std::size_t bytes = 0;
  auto* const imported = nvme_import_tls_key_versioned(text.c_str(), &version, &hmac, &bytes);
  WipeText(text);
  if (imported == nullptr) {
    return Error(ErrorCode::kInvalidArgument, "the TLS pre-shared key is not in interchange form")
        .Because(ErrnoText(errno));
  }
  const std::unique_ptr<unsigned char, WipeKey> raw(imported, WipeKey{bytes});
  // libnvme revokes what it finds in its place, and a connection with a revoked key does not come
  // back after an outage.
  const long present = FindTlsKey(host_nqn, subsystem_nqn, version, hmac, raw.get(), bytes);
  if (present > 0) return present;
  errno = 0;
  // No keyring means ".nvme", the one that the kernel searches.
  const long serial =
      nvme_insert_tls_key_versioned(nullptr, "psk", host_nqn.c_str(), subsystem_nqn.c_str(),
                                    version, hmac, raw.get(), static_cast<int>(bytes));
  const int failure = errno;
  if (serial > 0) return serial;
  const bool is_missing = failure == ENOTSUP || failure == ENOSYS || failure == ENOKEY;
  return Error(is_missing ? ErrorCode::kUnsupported : ErrorCode::kInternal,
               "cannot put the TLS key into the keyring '.nvme'")
      .Because(ErrnoText(failure));
}

#else

Result<long> InsertTlsKey(const Secret&, const std::string&, const std::string&) {
  return Error(ErrorCode::kUnsupported,
               "this libnvme cannot put a TLS key into the keyring: 1.13 can");
}

#endif

}  // namespace ontapnvme::nvme
