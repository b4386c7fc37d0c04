// SPDX-License-Identifier: AGPL-3.0-or-later
// The settings of a storage as one table. The library's checks, Perl's schema, the man page and the
// table in docs/settings.md come from it (docs/adr/0017).
#pragma once

#include <span>

#include "model/setting.h"

namespace ontapnvme {

// All of them, in the order in which they are checked and described.
std::span<const Setting> SettingsTable();

}  // namespace ontapnvme
