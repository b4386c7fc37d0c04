// SPDX-License-Identifier: AGPL-3.0-or-later
// Changes that the array carries out as a job which the account may not read: a role of an SVM need
// not have the path of jobs. Then only the object tells. Private to the ontap layer.
#pragma once

#include "base/deadline.h"
#include "base/result.h"
#include "ontap/rest_client.h"
#include "ontap/rest_types.h"

namespace ontapnvme::ontap {

// Whether `error` is of such a change.
bool IsJobUnseen(const Error& error);

// What became of `request`, which failed with `unseen`: success once the object is gone that it
// deletes, or reads back as it sets it. Else `unseen`, whose outcome stays unknown: what was made is
// for the caller to look up, and whether a volume was reverted nothing tells.
Status SettleUnseen(RestClient& rest, const ChangeRequest& request, Error unseen,
                    const Deadline& deadline);

}  // namespace ontapnvme::ontap
