// SPDX-License-Identifier: AGPL-3.0-or-later
// /network/ip/interfaces and /protocols/nvme/interfaces: two views of the same LIFs.
#include "api_error.h"
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

json IpRecord(const World& world, const Lif& lif) {
  const bool is_v6 = lif.address.find(':') != std::string::npos;
  return {
      {"uuid", lif.uuid},
      {"name", lif.name},
      {"enabled", lif.is_enabled},
      {"state", lif.is_up && lif.is_enabled ? "up" : "down"},
      {"scope", "svm"},
      {"svm", world.SvmReference(lif.svm_uuid)},
      {"services", lif.services},
      {"service_policy",
       {{"name", lif.CarriesNvme() ? "default-data-nvme-tcp" : "default-management"}}},
      {"ip",
       {{"address", lif.address},
        {"family", is_v6 ? "ipv6" : "ipv4"},
        {"netmask", is_v6 ? "64" : "24"}}},
      {"location",
       {{"node", world.NodeReference(lif.node_name)},
        {"home_node", world.NodeReference(lif.home_node_name)},
        {"is_home", lif.node_name == lif.home_node_name}}},
      {"_links", {{"self", {{"href", "/api/network/ip/interfaces/" + lif.uuid}}}}},
  };
}

json NvmeRecord(const World& world, const Lif& lif) {
  return {
      {"uuid", lif.uuid},
      {"name", lif.name},
      {"enabled", lif.is_enabled},
      {"interface_type", "ip_interface"},
      {"transport_address", lif.address},
      {"transport_protocols", {"nvme_tcp"}},
      {"ip_interface", {{"ip", {{"address", lif.address}}}}},
      {"node", world.NodeReference(lif.node_name)},
      {"svm", world.SvmReference(lif.svm_uuid)},
      {"_links", {{"self", {{"href", "/api/protocols/nvme/interfaces/" + lif.uuid}}}}},
  };
}

template <json (*kRecord)(const World&, const Lif&), bool kNvmeOnly>
Reply GetAll(Call& call) {
  const Model& model = kNvmeOnly ? models::NvmeInterface() : models::IpInterface();
  return Listing(call, model).Answer([&](const Emit& emit) {
    for (const Lif& lif : call.world.lifs) {
      if (!call.Sees(lif.svm_uuid) || (kNvmeOnly && !lif.CarriesNvme())) continue;
      json record = kRecord(call.world, lif);
      if (call.IsShownLess()) record.erase("location");
      emit(call.world.lifs.Order(lif.uuid), std::move(record));
    }
  });
}

template <json (*kRecord)(const World&, const Lif&), bool kNvmeOnly>
Reply GetOne(Call& call) {
  const Single single(call, kNvmeOnly ? models::NvmeInterface() : models::IpInterface());
  const Lif* lif = call.world.lifs.Find(call.Param("uuid"));
  if (lif == nullptr || !call.Sees(lif->svm_uuid) || (kNvmeOnly && !lif->CarriesNvme())) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
  }
  return single.Answer(kRecord(call.world, *lif));
}

}  // namespace

void AddInterfaceRoutes(Routes* routes) {
  routes->push_back({"GET", "network/ip/interfaces", GetAll<IpRecord, false>});
  routes->push_back({"GET", "network/ip/interfaces/{uuid}", GetOne<IpRecord, false>});
  routes->push_back({"GET", "protocols/nvme/interfaces", GetAll<NvmeRecord, true>});
  routes->push_back({"GET", "protocols/nvme/interfaces/{uuid}", GetOne<NvmeRecord, true>});
}

}  // namespace ontapnvme::sim
