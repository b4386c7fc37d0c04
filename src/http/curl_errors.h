// SPDX-License-Identifier: AGPL-3.0-or-later
// What a failed libcurl transfer means: one table, one argued row each.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/error.h"

namespace ontapnvme::http {

// What is known about a transfer that ended without a complete answer. Numbers, so that libcurl's
// header stays inside this layer's sources.
struct TransferFailure {
  int curl_code = 0;            // CURLcode
  long verify_result = 0;       // CURLINFO_SSL_VERIFYRESULT: an X509_V_ERR_… of OpenSSL
  std::string error_text;       // CURLOPT_ERRORBUFFER
  std::string peer;             // host:port as the operator wrote it
  bool is_sent = false;         // bytes of the request have left: the server may have acted on it
  bool is_budget_over = false;  // the deadline of the call, not a limit of its own, ended it
  Duration silence{0};          // of the server, when that ended it
};

// kUnavailable or kTimedOut, with the reason in words an operator can act on; outcome_unknown()
// where the request may have reached the server.
Error ExplainTransferFailure(const TransferFailure& failure);

}  // namespace ontapnvme::http
