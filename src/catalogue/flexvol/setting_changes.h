// SPDX-License-Identifier: AGPL-3.0-or-later
// Brings what exists already to the current settings, when the storage's settings change.
#pragma once

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/flexvol/session.h"
#include "model/storage_config.h"
#include "ontap/svm.h"

namespace ontapnvme::catalogue::flexvol {

// See Array::ApplyChanges. `before` are the settings that the objects were made with. Requests: one
// listing, and one per object and changed setting; one more where a QoS policy is taken away.
Status ApplySettingChanges(const Session& session, const StorageConfig& before,
                           const Deadline& deadline);

// See Array::RequireSameDisks. Two requests where this node remembers the SVM, else three.
Status RequireSameDisks(const Session& session, ontap::Svms& svms, const Deadline& deadline);

}  // namespace ontapnvme::catalogue::flexvol
