// SPDX-License-Identifier: AGPL-3.0-or-later
// The calls the array answers. Each resource adds its own.
#pragma once

#include <string>
#include <vector>

#include "call.h"
#include "jobs.h"

namespace ontapnvme::sim {

enum class Access {
  kSvm,     // any account, within its SVM
  kCluster  // cluster accounts only
};

enum class Platform {
  kAny,
  kFlexVol  // refused where there are no FlexVols to manage
};

struct Route {
  std::string method;
  std::string pattern;  // "storage/volumes/{uuid}", relative to /api
  Handler handler;
  Access access = Access::kSvm;
  Platform platform = Platform::kAny;
};

using Routes = std::vector<Route>;

void AddClusterRoutes(Routes* routes);
void AddMultiAdminRoutes(Routes* routes);
void AddJobRoutes(Routes* routes, JobTable* jobs);
void AddSvmRoutes(Routes* routes);
void AddInterfaceRoutes(Routes* routes);
void AddNvmeServiceRoutes(Routes* routes);
void AddAggregateRoutes(Routes* routes);
void AddQosPolicyRoutes(Routes* routes);
void AddSnapshotPolicyRoutes(Routes* routes);
void AddVolumeRoutes(Routes* routes);
void AddRecoveryQueueRoutes(Routes* routes);
void AddSnapshotRoutes(Routes* routes);
void AddNamespaceRoutes(Routes* routes);
void AddLunRoutes(Routes* routes);
void AddSubsystemRoutes(Routes* routes);
void AddSubsystemControllerRoutes(Routes* routes);
void AddSubsystemHostRoutes(Routes* routes);
void AddSubsystemMapRoutes(Routes* routes);
void AddConsistencyGroupRoutes(Routes* routes);
void AddGroupSnapshotRoutes(Routes* routes);

}  // namespace ontapnvme::sim
