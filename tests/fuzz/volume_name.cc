// SPDX-License-Identifier: AGPL-3.0-or-later
// Names in both directions: first the prefix of the storage, a line of its own, then the name.
#include "model/volume_name.h"

#include "catalogue/flexvol/names/array_names.h"
#include "fuzz/target.h"
#include "model/snapshot_name.h"

namespace ontapnvme::fuzz {
namespace {

using catalogue::flexvol::ArrayNames;

// A name of Proxmox: its FlexVol leads back to it, so no two names share one.
void FromProxmox(const ArrayNames& names, std::string_view text) {
  const auto name = VolumeName::Parse(text);
  if (!name.ok()) return RequireReadable(name.error().Line());
  Require(name->Text() == text, "a name is written as it was read", text);
  Require(text.find_first_of("\"\\' \t\n,@") == std::string_view::npos,
          "a name can stand in a path and on a command line", text);
  const auto flexvol = names.FlexVol(*name);
  if (!flexvol.ok()) return RequireReadable(flexvol.error().Line());
  Require(flexvol->size() <= 203, "a FlexVol's name is one that ONTAP takes", *flexvol);
  const auto back = names.VolumeOf(*flexvol);
  Require(back.has_value() && back->LeafText() == name->LeafText(), "there and back", text);
  const auto legacy = names.LegacyFlexVol(*name);
  Require(!legacy || *legacy != *flexvol, "a former name is another one", text);
}

// A FlexVol of the array: where it is a volume, that volume's FlexVol is this one.
void FromArray(const ArrayNames& names, std::string_view flexvol) {
  const auto name = names.VolumeOf(flexvol);
  if (!name) return;
  const auto parsed = VolumeName::Parse(name->Text());
  Require(parsed.ok(), "what is listed can be named", flexvol);
  const auto again = names.FlexVol(*parsed);
  Require(!again.ok() || *again == flexvol, "back and there", flexvol);
}

}  // namespace
}  // namespace ontapnvme::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme::fuzz;
  std::string_view text = Text(data, size);
  const ontapnvme::catalogue::flexvol::ArrayNames names{std::string(Take(text, '\n'))};
  FromProxmox(names, text);
  FromArray(names, text);
  const ontapnvme::ArraySnapshotName on_array{std::string(text)};
  RequireReadable(on_array.Shown());
  if (const auto snapshot = on_array.OfProxmox()) {
    Require(ontapnvme::ArraySnapshotName(*snapshot) == on_array, "snapshots go back as well");
  }
  return 0;
}
