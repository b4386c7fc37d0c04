// SPDX-License-Identifier: AGPL-3.0-or-later
#include "tls_keys.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace ontapnvme::sim {

bool TlsKeys::Insert(const std::string& nqn, const std::string& host_nqn, const std::string& psk) {
  std::vector<std::string> words = {"nvme",
                                    "check-tls-key",
                                    "--insert",
                                    "--identity=1",
                                    "--subsysnqn=" + nqn,
                                    "--hostnqn=" + host_nqn,
                                    "--keydata=" + psk};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  int status = 0;
  return ::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) == 0 &&
         ::waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace ontapnvme::sim
