// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/clone_holders.h"

#include "pve/volume_details.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {
namespace {

constexpr std::size_t kNamed = 5;  // a template may have hundreds

std::string NameOf(const Context& context, const ontap::FlexVol& clone) {
  const auto details = ReadDetails(clone.comment);
  if (!details.shown_volume.empty()) {
    return details.shown_volume + "@" + details.shown_snapshot + " on " + details.shown_to;
  }
  const auto name = VolumeNameOfFlexVol(context.config.prefix, clone.name);
  if (!name || context.ownership.IsForeign(clone.comment)) return "FlexVol " + clone.name;
  return name->LeafText();
}

}  // namespace

Error HeldByClones(const Context& context, Error error, const std::vector<ontap::FlexVol>& clones) {
  if (clones.empty()) {
    error.SetHint(
        "deleted clones in the array's recovery queue still hold it, for 12 hours by default: "
        "wait, "
        "or purge them there ('volume recovery-queue purge'); set force_delete 1 to delete at "
        "once");
    return error;
  }
  std::string names;
  for (std::size_t i = 0; i < clones.size() && i < kNamed; ++i) {
    names += (i == 0 ? "" : ", ") + NameOf(context, clones[i]);
  }
  if (clones.size() > kNamed) names += ", …";
  error.AddFact("clones", std::to_string(clones.size()));
  error.AddFact("clone_names", names);
  error.SetHint(
      "remove the clones, or make them independent on the array ('volume clone split start')");
  return error;
}

}  // namespace ontapnvme::pve
