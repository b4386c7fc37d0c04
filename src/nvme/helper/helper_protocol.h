// SPDX-License-Identifier: AGPL-3.0-or-later
// What the library and its helper program say to each other. The request is lines of `key=value` on
// the helper's standard input (never its arguments or environment: both can be read by others). The
// reply, on standard output, is lines `ns <name> <uuid> <subsystem NQN>` for the verb `topology`,
// and ends with one line `ok [<controller>]` or `error <errno> <text>`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/uuid.h"

namespace ontapnvme::nvme {

// A request fits into an empty pipe whatever its limits are: it is written before anyone reads.
inline constexpr std::size_t kRequestBytesMax = 4096;
inline constexpr std::size_t kReplyBytesMax = 1U << 20U;

// Keys of a request: verb (connect, disconnect, topology); for connect nqn, traddr, trsvcid,
// hostnqn, hostid, and optionally dhchap_secret, dhchap_ctrl_secret, tls=1, tls_psk; for disconnect
// name and nqn.
struct RequestField {
  std::string_view key;
  std::string_view value;  // empty: the field is left out
};

// Nothing is escaped: a value with a control character gives kInvalidArgument, as does a request
// that is too long. The error never holds a value.
Result<Secret> EncodeRequest(const std::vector<RequestField>& fields);
// Fields of a request; the values are secrets as far as the reader knows. Unreadable lines are
// skipped: a missing key is noticed by who needs it.
std::map<std::string, Secret, std::less<>> DecodeRequest(std::string_view text);

struct HelperReply {
  struct Namespace {
    std::string name;
    Uuid uuid;
    std::string subsystem_nqn;
  };
  int error = 0;     // errno; 0: success
  std::string text;  // name of the controller, or what went wrong
  std::vector<Namespace> namespaces;
};

// True when the last line of a reply is there.
bool IsCompleteReply(std::string_view text);
// Nothing when the text is not a complete reply.
std::optional<HelperReply> DecodeReply(std::string_view text);

}  // namespace ontapnvme::nvme
