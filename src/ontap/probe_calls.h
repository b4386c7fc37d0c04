// SPDX-License-Identifier: AGPL-3.0-or-later
// Calls in forms that no operation sends, because nobody says whether an array takes them: for probes,
// which ask that of scratch objects.
#pragma once

#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"
#include "ontap/flexvol.h"

namespace ontapnvme::ontap {

class RestClient;

// FlexVols::Create with `space.fractional_reserve` in the same request.
Status CreateWithFractionalReserve(RestClient& rest, const std::string& svm_name,
                                   const FlexVolSpec& spec, const Deadline& deadline);
// Size and autosize maximum in one request.
Status SetSizeWithAutosize(RestClient& rest, const Uuid& volume, ByteCount size, ByteCount maximum,
                           const Deadline& deadline);
// ConsistencyGroups::Create without a word about a snapshot policy.
Status CreateGroupWithoutPolicy(RestClient& rest, const std::string& svm_name,
                                const std::string& name,
                                const std::vector<std::string>& volume_names,
                                const Deadline& deadline);
// By name; the array's empty policy is "none", as is one that it does not show.
Result<std::string> ReadGroupPolicy(RestClient& rest, const Uuid& group, const Deadline& deadline);

}  // namespace ontapnvme::ontap
