// SPDX-License-Identifier: AGPL-3.0-or-later
// Which process made an object. A connection belongs to the process that opened it: a forked child
// must neither use nor close it, because closing a TLS session sends bytes on the parent's socket.
#pragma once

#include <sys/types.h>
#include <unistd.h>

namespace ontapnvme {

class ProcessOwner {
 public:
  bool IsThisProcess() const { return pid_ == ::getpid(); }
  void TakeOver() { pid_ = ::getpid(); }

 private:
  pid_t pid_ = ::getpid();
};

}  // namespace ontapnvme
