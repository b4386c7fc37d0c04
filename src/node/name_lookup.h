// SPDX-License-Identifier: AGPL-3.0-or-later
// From host names of portals to addresses: the kernel connects to nothing else.
//
// The system's resolver knows neither deadline nor signal, and a name server that is down holds it for
// half a minute. So it is asked in a process of its own, and what it said is remembered on this node,
// to serve when it does not answer.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"

namespace ontapnvme::node {

struct NameAnswer {
  std::vector<std::string> addresses;
  // Why the resolver's answer of some time ago serves in place of one of now.
  std::optional<Error> trouble = std::nullopt;
};

class NameLookup {
 public:
  // `program` is called as `getent ahosts -- NAME`, and prints an address at the beginning of each line.
  NameLookup(std::string program, std::string directory, const std::string& storage_id)
      : program_(std::move(program)),
        directory_(std::move(directory)),
        path_(directory_ + "/" + storage_id + ".names") {}

  // All addresses of all names, in the resolver's order, without duplicates. An address is its own
  // result, and no question is asked for it. kUnavailable with Refusal::kUnresolved when a name
  // has no address, or the resolver does not answer and nothing is remembered; kInterrupted.
  Result<NameAnswer> Resolve(const std::vector<std::string>& names, const Deadline& deadline) const;
  void Forget() const;

 private:
  std::string program_;
  std::string directory_;
  std::string path_;
};

}  // namespace ontapnvme::node
