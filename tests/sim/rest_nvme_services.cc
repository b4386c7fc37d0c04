// SPDX-License-Identifier: AGPL-3.0-or-later
// /protocols/nvme/services: whether an SVM speaks NVMe at all.
#include "api_error.h"
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kNoLicence = 1115127;
constexpr int kNotAllowed = 2621507;
constexpr int kServiceExists = 72089650;
constexpr int kNoService = 72089651;
constexpr int kHasSubsystems = 72089653;

json ServiceRecord(const World& world, const Svm& svm) {
  return {{"svm", world.SvmReference(svm.uuid)},
          {"enabled", svm.is_nvme_enabled},
          {"_links", {{"self", {{"href", "/api/protocols/nvme/services/" + svm.uuid}}}}}};
}

Svm& RequireService(const Call& call) {
  Svm* svm = call.world.svms.Find(call.Param("svm.uuid"));
  if (svm == nullptr || !call.Sees(svm->uuid)) {
    Refuse(code::kSvmNotVisible, "SVM does not exist or is not accessible to this user");
  }
  if (!svm->has_nvme_service) RefuseMissing(kNoService, "The SVM has no NVMe service", "svm.uuid");
  return *svm;
}

Reply GetServices(Call& call) {
  return Listing(call, models::NvmeService()).Answer([&](const Emit& emit) {
    for (const Svm& svm : call.world.svms) {
      if (!call.Sees(svm.uuid) || !svm.has_nvme_service) continue;
      emit(call.world.svms.Order(svm.uuid), ServiceRecord(call.world, svm));
    }
  });
}

Reply GetService(Call& call) {
  const Single single(call, models::NvmeService());
  return single.Answer(ServiceRecord(call.world, RequireService(call)));
}

Reply PostService(Call& call) {
  const json body = call.Body(models::NvmeService(), Write::kCreate);
  call.RequireNoMoreParams();
  Svm& svm = call.RequireSvm(body);
  World& world = call.world;
  Change change;
  change.is_create = true;
  change.svm_uuid = svm.uuid;
  change.location = "/api/protocols/nvme/services/" + svm.uuid;
  change.model = &models::NvmeService();
  change.run = [&world, &svm, body](Phase phase) -> json {
    if (!world.settings.has_nvme_licence) Refuse(kNoLicence, "No NVMe licence is installed");
    if (!svm.is_nvme_allowed) Refuse(kNotAllowed, "NVMe is not allowed on this SVM");
    if (svm.has_nvme_service) RefuseConflict(kServiceExists, "The NVMe service exists");
    if (phase == Phase::kCheck) return nullptr;
    svm.has_nvme_service = true;
    svm.is_nvme_enabled = body.value("enabled", true);
    return ServiceRecord(world, svm);
  };
  return Reply::To(std::move(change));
}

Reply PatchService(Call& call) {
  const json body = call.Body(models::NvmeService(), Write::kPatch);
  call.RequireNoMoreParams();
  Svm& svm = RequireService(call);
  if (body.empty()) Refuse(code::kNothingToChange, "Nothing to change");
  Change change;
  change.run = [&svm, body](Phase phase) -> json {
    if (phase == Phase::kApply) svm.is_nvme_enabled = body.at("enabled");
    return nullptr;
  };
  return Reply::To(std::move(change));
}

Reply DeleteService(Call& call) {
  call.RequireNoMoreParams();
  Svm& svm = RequireService(call);
  World& world = call.world;
  Change change;
  change.run = [&world, &svm](Phase phase) -> json {
    for (const Subsystem& subsystem : world.subsystems) {
      if (subsystem.svm_uuid == svm.uuid) {
        RefuseConflict(kHasSubsystems, "The SVM still has NVMe subsystems");
      }
    }
    if (phase == Phase::kApply) svm.has_nvme_service = svm.is_nvme_enabled = false;
    return nullptr;
  };
  return Reply::To(std::move(change));
}

}  // namespace

void AddNvmeServiceRoutes(Routes* routes) {
  routes->push_back({"GET", "protocols/nvme/services", GetServices});
  routes->push_back({"POST", "protocols/nvme/services", PostService});
  routes->push_back({"GET", "protocols/nvme/services/{svm.uuid}", GetService});
  routes->push_back({"PATCH", "protocols/nvme/services/{svm.uuid}", PatchService});
  routes->push_back({"DELETE", "protocols/nvme/services/{svm.uuid}", DeleteService});
}

}  // namespace ontapnvme::sim
