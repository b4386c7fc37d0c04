// SPDX-License-Identifier: AGPL-3.0-or-later
// Pre-shared keys where the kernel's target, by way of tlshd, looks for them.
#pragma once

#include <string>

namespace ontapnvme::sim {

class TlsKeys {
 public:
  virtual ~TlsKeys() = default;
  // Puts the key of that pair of NQNs into the kernel's keyring, derived by nvme-cli: nothing of
  // the plugin's own has a part in the target's half. False where nvme-cli or the kernel knows no
  // such keys.
  virtual bool Insert(const std::string& nqn, const std::string& host_nqn, const std::string& psk);
};

}  // namespace ontapnvme::sim
