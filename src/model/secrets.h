// SPDX-License-Identifier: AGPL-3.0-or-later
// The secrets of a storage, as a list that can be walked: what fills, hides or stores them walks
// kSecretFields, so that none is left out.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "base/secret.h"

namespace ontapnvme {

struct Secrets {
  Secret password;
  Secret dhchap_host_secret;
  Secret dhchap_controller_secret;
  Secret tls_psk;
};

struct SecretField {
  std::string_view setting;      // its name for pvesm
  std::string_view file_suffix;  // kept in /etc/pve/priv/storage/<storage id>.<suffix>
  Secret Secrets::*secret;
};

inline constexpr std::array kSecretFields = {
    SecretField{"password", "pw", &Secrets::password},
    SecretField{"nvme_dhchap_secret", "dhchap", &Secrets::dhchap_host_secret},
    SecretField{"nvme_dhchap_ctrl_secret", "dhchapc", &Secrets::dhchap_controller_secret},
    SecretField{"nvme_tls_psk", "tlspsk", &Secrets::tls_psk},
};

static_assert(sizeof(Secrets) == kSecretFields.size() * sizeof(Secret),
              "each secret has its line in kSecretFields, and Secrets has nothing else");
static_assert(std::all_of(kSecretFields.begin(), kSecretFields.end(),
                          [](const SecretField& field) {
                            return std::count_if(kSecretFields.begin(), kSecretFields.end(),
                                                 [&](const SecretField& other) {
                                                   return other.secret == field.secret ||
                                                          other.setting == field.setting ||
                                                          other.file_suffix == field.file_suffix;
                                                 }) == 1;
                          }),
              "no two lines of kSecretFields share a field, a name or a file");

}  // namespace ontapnvme
