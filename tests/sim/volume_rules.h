// SPDX-License-Identifier: AGPL-3.0-or-later
// What creating and changing a volume have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "listing.h"
#include "world.h"

namespace ontapnvme::sim {

inline constexpr std::uint64_t kVolumeBytesMinimum = 20U << 20U;

namespace volume_code {
inline constexpr int kNameTaken = 917526;
inline constexpr int kAggregateMissing = 787140;
inline constexpr int kAggregateMismatch = 787141;
inline constexpr int kAggregateUnknown = 917508;
inline constexpr int kNotFound = 918235;
}  // namespace volume_code

// Applies the body's settings to `volume`, which may be a candidate that is not stored yet. Throws
// ApiError and leaves `volume` half-changed then: callers work on a copy.
void ApplyVolumeSettings(World& world, const nlohmann::json& body, Volume* volume, bool is_create);

// Throws unless the volume may carry that name.
void RequireVolumeName(World& world, const std::string& svm_uuid, const std::string& name);

// Throws when `candidate` in place of the stored volume of its uuid (if any) would not fit its
// aggregate or the SVM's limit.
void RequireSpaceFor(World& world, const Volume& candidate);

// What all namespaces of the volume may take together. A volume that grows by itself is measured by
// what it may grow to.
std::uint64_t NamespaceRoomBytes(const Volume& volume);

// By its uuid in the path; throws when it is missing or not visible.
Volume& RequireVolume(const Call& call, const std::string& param);

// The full record. Figures that cost something are left out unless `reader` wants them.
nlohmann::json VolumeRecord(World& world, const Volume& volume, bool with_space,
                            bool with_snapshots);

template <class Reader>
nlohmann::json VolumeRecord(World& world, const Volume& volume, const Reader& reader) {
  return VolumeRecord(world, volume, reader.NeedsBelow("space"),
                      reader.Needs("snapshot_count") || reader.NeedsBelow("space.snapshot"));
}

Reply PostVolume(Call& call);
Reply PatchVolume(Call& call);
Reply DeleteVolume(Call& call);
// PATCH with `restore_to.snapshot.name` or `.uuid` in the query.
Reply RestoreVolume(Call& call);

}  // namespace ontapnvme::sim
