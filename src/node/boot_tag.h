// SPDX-License-Identifier: AGPL-3.0-or-later
// Which start of which node this is: what is counted since then can be compared under one tag only.
#pragma once

#include <string>

namespace ontapnvme::node {

// 8 hex digits; empty where the kernel does not say.
std::string BootTag();

}  // namespace ontapnvme::node
