// SPDX-License-Identifier: AGPL-3.0-or-later
// Perl's own headers, behind all others: their macros break the standard library's headers. No other
// file includes them.
#pragma once

#define PERL_NO_GET_CONTEXT
extern "C" {
#include "EXTERN.h"
#include "perl.h"
// perl.h first
#include "XSUB.h"
}
