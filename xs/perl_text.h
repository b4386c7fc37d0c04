// SPDX-License-Identifier: AGPL-3.0-or-later
// Text of the library as a Perl scalar. Does not croak: it runs inside the guard.
#pragma once

#include <string>
#include <string_view>

#include "perl_api.h"

namespace ontapnvme::xs {

// UTF-8, flagged as such where that matters.
SV* ToPerl(pTHX_ std::string_view text);
SV* ToPerl(pTHX_ const std::string& text);

}  // namespace ontapnvme::xs
