// SPDX-License-Identifier: AGPL-3.0-or-later
// Settings of a FlexVol that is there. Each is changed by a PATCH of its own: which of them an array
// takes together, or at all, differs, and one that is refused must not take the others with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"

namespace ontapnvme::ontap {

class RestClient;

struct AutosizeSetting {
  std::optional<ByteCount> maximum;  // absent: autosize off

  bool operator==(const AutosizeSetting&) const = default;
};

// What is absent stays as it is, or is not known.
struct FlexVolSettings {
  std::optional<std::string> snapshot_policy;  // by name; the array's empty one is "none"
  std::optional<bool> is_thick;                // guarantee volume or none
  std::optional<bool> is_fully_reserved;       // fractional reserve 100 or 0
  std::optional<AutosizeSetting> autosize;
  std::optional<std::string> tiering_policy;
  std::optional<std::string> qos_policy;  // by name; empty: none
  std::optional<unsigned> snapshot_reserve_percent;
  std::optional<bool> is_snapshot_autodelete_on;
  // Snapshots whose name begins with this are the last that autodelete takes; empty: no exception.
  // From 9.13.1.
  std::string autodelete_spared_prefix;
};

// A setting that the array did not take as it was asked for.
struct RefusedSetting {
  std::string name;  // as in storage.cfg, or the array's where that has no word for it
  Error why;
};

// What a FlexVol is like.
struct FlexVolState {
  std::string state;  // online, offline, restricted, error, mixed
  FlexVolSettings settings;
  std::optional<bool> is_encrypted;
};

// Whether an array, or its release, does not take what a disk can do without: a field or its value,
// or for a reason that is in no table.
bool IsNotTaken(const Error& error);

// One PATCH for each that is given; none when nothing is. Idempotent. What this array does not take
// is left out and returned; of an autosize maximum that is above what the platform allows, the next
// lower limit of ONTAP's platforms is set. A QoS policy that is taken away is looked for afterwards.
// Fails when the array cannot be asked, or a value names what is not there.
Result<std::vector<RefusedSetting>> ApplySettings(RestClient& rest, const Uuid& volume,
                                                  const FlexVolSettings& settings,
                                                  const Deadline& deadline);

// Nothing when there is no such volume, or when it is not to be seen yet. One request.
Result<std::optional<FlexVolState>> ReadState(RestClient& rest, const Uuid& volume,
                                              const Deadline& deadline);

// Those of `wanted` that are not known to be in force.
FlexVolSettings Missing(FlexVolSettings wanted, const FlexVolSettings& in_force);

}  // namespace ontapnvme::ontap
