// SPDX-License-Identifier: AGPL-3.0-or-later
// What creating and growing a namespace have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "call.h"
#include "world.h"

namespace ontapnvme::sim {

// The full record. What it uses is left out unless wanted: it asks the block store.
nlohmann::json NamespaceRecord(World& world, const NvmeNamespace& ns, bool with_space);

// Throws unless a namespace of the volume may have that size; `before` is what it has now.
void RequireNamespaceFits(World& world, const Volume& volume, std::uint64_t size_bytes,
                          std::uint64_t before_bytes, std::int64_t block_size);

struct NamespaceLocation {
  std::string volume;
  std::string base_name;
};
// Of "/vol/<volume>/<name>".
NamespaceLocation RequireNamespacePath(const std::string& path);

// POST with `convert.lun`: the LUN becomes a namespace in place.
Reply ConvertLun(Call& call, const nlohmann::json& body, const Svm& svm);

// As ONTAP writes nsid and anagrpid: "00000001h".
std::string HexNumber(unsigned number);

Reply PostNamespace(Call& call);

}  // namespace ontapnvme::sim
