// SPDX-License-Identifier: AGPL-3.0-or-later
// What consistency groups and their snapshots have in common.
#pragma once

#include <string>
#include <vector>

#include "call.h"
#include "world.h"

namespace ontapnvme::sim {

namespace group_code {
inline constexpr int kNotFound = 53411843;
inline constexpr int kSnapshotRefused = 53411918;
inline constexpr int kSnapshotFailed = 53411921;
inline constexpr int kNotStarted = 53411925;
inline constexpr int kSnapshotLocked = 53412007;
}  // namespace group_code

// By its uuid in the path; throws when it is missing or not visible.
ConsistencyGroup& RequireGroup(const Call& call, const std::string& param);

// As the policy of the group of that name takes one: of all members, by whatever name. Its uuid.
std::string ScheduleGroupSnapshot(World& world, const std::string& group, const std::string& name);

GroupSnapshot* FindGroupSnapshot(World& world, const std::string& group_uuid,
                                 const std::string& name);

// Names of the members that the snapshot does not hold.
std::vector<const Volume*> MissingVolumes(const World& world, const GroupSnapshot& snapshot);

// The change that takes all members the snapshot holds back to it.
Change GroupRestore(Call& call, const ConsistencyGroup& group, const nlohmann::json& snapshot);

}  // namespace ontapnvme::sim
