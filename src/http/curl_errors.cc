// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/curl_errors.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <optional>

namespace ontapnvme::http {
namespace {

// Values of OpenSSL's X509_V_ERR_… (x509_vfy.h), which libcurl hands out as plain numbers.
struct VerifyRow {
  long result;
  const char* reason;
};
constexpr std::array kVerifyRows{
    VerifyRow{2, "the certificate of its issuer is not known to this node"},
    VerifyRow{9, "its certificate is not valid yet (look at the clocks of both sides)"},
    VerifyRow{10, "its certificate has expired"},
    VerifyRow{18, "its certificate is self-signed and not known to this node"},
    VerifyRow{19, "its certificate chain ends in a self-signed certificate not known to this node"},
    VerifyRow{20, "the certificate of its issuer is not known to this node"},
    VerifyRow{21, "it sends no chain that leads to an issuer known to this node"},
    VerifyRow{23, "its certificate has been revoked"},
    VerifyRow{26, "its certificate is not meant for a server"},
};

constexpr const char* kTrustHint =
    "put the certificate of its issuer into /etc/pve/priv/storage/<storage>.ca.pem, or into "
    "/usr/local/share/ca-certificates and run update-ca-certificates, or set verify_ssl 0 to "
    "accept any certificate";
constexpr const char* kNameHint =
    "give mgmt_ip as a name or address that stands in the certificate, or set verify_ssl 0 to "
    "accept any certificate";

struct CurlRow {
  CURLcode code;
  const char* reason;  // nullptr: libcurl's own text says it best
  const char* hint;    // may be nullptr
};

// What is not listed is reported with libcurl's own text. Whether the request was sent does not follow from
// the code: after a reused connection died libcurl connects again for it, and may fail to.
constexpr std::array kRows{
    // A name server that is down says so only after its own time limit; the name may also be wrong.
    CurlRow{CURLE_COULDNT_RESOLVE_HOST, "the host name cannot be resolved",
            "look at mgmt_ip and at the name servers of this node"},
    // Connection refused, no route, network down: libcurl's text names the errno.
    CurlRow{CURLE_COULDNT_CONNECT, nullptr,
            "look at mgmt_ip, the management LIF and the route to it"},
    // The handshake failed for a reason other than the certificate: protocol version or cipher.
    CurlRow{CURLE_SSL_CONNECT_ERROR, nullptr,
            "the array has to offer TLS 1.2 or later for its management interface"},
    // The file named for the CA cannot be read; nothing was sent.
    CurlRow{CURLE_SSL_CACERT_BADFILE, "the file of trusted certificates is not readable",
            "run update-ca-certificates"},
    // Closed without a byte of answer: the server may have acted before it closed.
    CurlRow{CURLE_GOT_NOTHING, "it closed the connection without an answer", nullptr},
    // Reset while sending: part of the request may have arrived; a POST without its body is
    // refused, but how much arrived is not known.
    CurlRow{CURLE_SEND_ERROR, "the connection broke while sending", nullptr},
    // A reused connection died, and what may not be sent twice was not (Transfer::OnBodyAgain).
    CurlRow{CURLE_SEND_FAIL_REWIND, "it closed the connection without an answer", nullptr},
    // Reset or ended while receiving: the server had the request.
    CurlRow{CURLE_RECV_ERROR, "the connection broke before the answer was complete", nullptr},
    // Content-Length promised more than came: an answer was on its way.
    CurlRow{CURLE_PARTIAL_FILE, "the answer was cut off", nullptr},
    // A body that cannot be decoded, or a header that is not HTTP: something else listens there.
    CurlRow{CURLE_WEIRD_SERVER_REPLY, "what answers there does not speak HTTP", nullptr},
    CurlRow{CURLE_UNSUPPORTED_PROTOCOL, "what answers there does not speak HTTP/1", nullptr},
};

const char* VerifyReason(long result) {
  const auto* row = std::find_if(kVerifyRows.begin(), kVerifyRows.end(),
                                 [&](const VerifyRow& r) { return r.result == result; });
  return row == kVerifyRows.end() ? nullptr : row->reason;
}

// libcurl says CURLE_PEER_FAILED_VERIFICATION both for a chain that does not verify and for a name
// that does not match; in the latter case OpenSSL's verdict is X509_V_OK, or still the value that
// libcurl begins with (X509_V_ERR_UNSPECIFIED).
Error CertificateError(const TransferFailure& failure) {
  constexpr long kVerifyOk = 0;
  constexpr long kNotJudged = 1;
  Error error = Error(ErrorCode::kUnavailable, "cannot trust the array at '" + failure.peer + "'")
                    .From({.refusal = Refusal::kUnusablePeer});
  if (failure.is_sent) error = std::move(error).OutcomeUnknown();
  if (failure.verify_result == kVerifyOk || failure.verify_result == kNotJudged) {
    return std::move(error)
        .Because("its certificate is made out to another name")
        .With("tls", "other-name")
        .With("detail", CleanText(failure.error_text))
        .Try(kNameHint);
  }
  error.AddFact("tls", "untrusted");
  if (const char* reason = VerifyReason(failure.verify_result)) {
    return std::move(error).Because(reason).Try(kTrustHint);
  }
  return std::move(error).Because(CleanText(failure.error_text)).Try(kTrustHint);
}

// "6 s"; of less than a second "0.5 s".
std::string SecondsText(Duration duration) {
  const auto tenths = duration.count() / 100;
  const std::string part = tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10);
  return std::to_string(tenths / 10) + part + " s";
}

Error TimeoutError(const TransferFailure& failure) {
  // A call that still had time left may be repeated by its caller, so that is not kTimedOut.
  const ErrorCode code = failure.is_budget_over ? ErrorCode::kTimedOut : ErrorCode::kUnavailable;
  if (!failure.is_sent) {
    return Error(code, "cannot connect to '" + failure.peer + "'")
        .Because("it did not accept a connection in time")
        .Try("look at mgmt_ip, the management LIF and the route to it");
  }
  const bool was_silent = failure.silence > Duration::zero();
  return Error(code, "no answer from '" + failure.peer + "'")
      .Because(was_silent ? "it said nothing for " + SecondsText(failure.silence)
                          : "the time for this call is used up")
      .OutcomeUnknown();
}

std::string ReasonOf(const CurlRow* row, const TransferFailure& failure) {
  if (row != nullptr && row->reason != nullptr) return row->reason;
  if (!failure.error_text.empty()) return CleanText(failure.error_text);
  return curl_easy_strerror(static_cast<CURLcode>(failure.curl_code));
}

}  // namespace

Error ExplainTransferFailure(const TransferFailure& failure) {
  const auto code = static_cast<CURLcode>(failure.curl_code);
  if (code == CURLE_PEER_FAILED_VERIFICATION) return CertificateError(failure);
  if (code == CURLE_OPERATION_TIMEDOUT) return TimeoutError(failure);

  const auto* found =
      std::find_if(kRows.begin(), kRows.end(), [&](const CurlRow& r) { return r.code == code; });
  const CurlRow* row = found == kRows.end() ? nullptr : found;
  const bool is_lost = failure.is_sent;
  Error error(ErrorCode::kUnavailable,
              (is_lost ? "lost the connection to '" : "cannot connect to '") + failure.peer + "'");
  error = std::move(error).Because(ReasonOf(row, failure));
  if (row != nullptr && row->hint != nullptr) error.SetHint(row->hint);
  if (is_lost) error = std::move(error).OutcomeUnknown();
  return error;
}

}  // namespace ontapnvme::http
