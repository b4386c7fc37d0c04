// SPDX-License-Identifier: AGPL-3.0-or-later
// What an ONTAP namespace says of itself in band: the names in vendor log page C2h and the
// identifiers in the descriptor list. Pure parsing of what a device sent, read as if hostile.
//
// Source of the layout: the NetApp plugin of nvme-cli (plugins/netapp/netapp-nvme.c), whose output
// is that of `nvme netapp ontapdevices`; the descriptor list is NVM Express Base 2.0, 5.17.2.3.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/uuid.h"

namespace ontapnvme::nvme {

inline constexpr std::size_t kPageBytes = 4096;  // of both structures and of Identify Controller
using Page = std::array<std::uint8_t, kPageBytes>;

struct OntapLabels {
  std::string svm_name;
  std::string volume_name;
  std::string namespace_path;  // /vol/<volume>/<namespace>
};

// Nothing when the page is not the namespace information, a name is missing or empty, or an element
// runs past the end: half a page is no evidence.
std::optional<OntapLabels> ParseOntapLabels(std::span<const std::uint8_t> page);

// The UUID (type 3) of a descriptor list, else its NGUID (type 2), wherever in the list they stand.
std::optional<Uuid> ParseNamespaceDescriptors(std::span<const std::uint8_t> list);

// Model number of an Identify Controller structure, without padding and unprintable bytes.
std::string ParseModel(std::span<const std::uint8_t> identify);
bool IsOntapModel(std::string_view model);

}  // namespace ontapnvme::nvme
