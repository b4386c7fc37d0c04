// SPDX-License-Identifier: AGPL-3.0-or-later
// The lines of an answer's header that mean something here; apart from libcurl, so that they can be
// tested with any bytes.
#pragma once

#include <string_view>

#include "base/deadline.h"
#include "http/transport.h"

namespace ontapnvme::http {

// Takes one line, with or without its line end, into `response`; all but Location and Retry-After
// are skipped. `clock` tells how far away a Retry-After that is a date lies.
void ReadHeaderLine(std::string_view line, Clock& clock, Response& response);

}  // namespace ontapnvme::http
