// SPDX-License-Identifier: AGPL-3.0-or-later
// The text interface of /dev/nvme-fabrics: one line of comma-separated options is written, and
// "instance=<n>,cntlid=<m>" read back. Written by us rather than through libnvme, because libnvme
// turns most of the kernel's errors into one, silently drops options that the kernel does not know,
// `tls` and `dhchap_secret` included, and has a configuration struct that differs between releases
// of one SONAME. Source: drivers/nvme/host/fabrics.c.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace ontapnvme::nvme {

using RequestFields = std::map<std::string, Secret, std::less<>>;

// The line for a `connect` request. kInvalidArgument when a field is missing or holds a comma or a
// control character: the kernel would take the rest for an option of its own.
Result<Secret> BuildConnectLine(const RequestFields& request, unsigned io_queues);

// Names of the options that the running kernel takes, out of what an unwritten /dev/nvme-fabrics
// reads as; empty when it does not say (before Linux 5.17).
std::set<std::string, std::less<>> ParseOptionNames(std::string_view text);
// The first option that `request` relies on and the kernel does not have; a connection without it
// would be one without the protection that was asked for.
std::optional<std::string> MissingOption(const RequestFields& request,
                                         const std::set<std::string, std::less<>>& options);

// The number out of "instance=3,cntlid=1".
std::optional<unsigned> ParseInstance(std::string_view text);

// One queue per CPU that is online, but no more than an array gives anyway. Asked for explicitly
// because the kernel's own default fails to connect where CPUs are offline.
unsigned IoQueuesFor(long cpus_online);

}  // namespace ontapnvme::nvme
