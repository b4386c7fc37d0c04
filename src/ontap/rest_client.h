// SPDX-License-Identifier: AGPL-3.0-or-later
// ONTAP's REST conventions over one transport: authentication is the transport's, everything else
// is here. The typed resources are its only users; nlohmann/json does not leave this folder.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "http/transport.h"
#include "ontap/release.h"

namespace ontapnvme::ontap {

class RestClient {
 public:
  // Everything is borrowed. `jitter` returns a number in [0, 1) for back-off; tests give a
  // constant.
  RestClient(http::Transport& transport, Log& log, std::function<double()> jitter);

  // …designed by the implementer; see the file's final form.

  // The release of the array, where known; nothing is gated while it is not.
  std::optional<Release> release() const { return release_; }
  void SetRelease(const Release& release) { release_ = release; }

 private:
  http::Transport* transport_;
  Log* log_;
  std::function<double()> jitter_;
  std::optional<Release> release_;
};

}  // namespace ontapnvme::ontap
