// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/resolve_by_topology.h"

#include "nvme/helper/helper_protocol.h"
#include "nvme/kernel/kernel_names.h"

namespace ontapnvme::nvme {

Result<std::string> ResolveByTopology(Helpers& helpers, const WantedDevice& wanted,
                                      const Deadline& deadline) {
  TRY(const auto request, EncodeRequest({{"verb", "topology"}}));
  const auto outcome = helpers.RunOne(request, deadline);
  const auto reply = outcome.Reply();
  if (FailedWith(reply, ErrorCode::kInterrupted)) return reply.error();
  if (!reply) return Error(ErrorCode::kDeviceMissing, reply.error().Plain());
  if (reply->error != 0) {
    return Error(ErrorCode::kDeviceMissing, "libnvme cannot scan: " + reply->text);
  }
  for (const auto& entry : reply->namespaces) {
    if (ParseHeadName(entry.name) && entry.uuid == wanted.uuid) return entry.name;
  }
  return Error(ErrorCode::kDeviceMissing, "none of " + std::to_string(reply->namespaces.size()) +
                                              " namespaces that libnvme lists has this UUID");
}

}  // namespace ontapnvme::nvme
