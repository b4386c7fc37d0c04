// SPDX-License-Identifier: AGPL-3.0-or-later
// The control commands over a Unix socket: one JSON object a line, one answer a line.
#pragma once

#include <mutex>
#include <string>
#include <thread>

#include "control.h"

namespace ontapnvme::sim {

class ControlSocket {
 public:
  // `control` is borrowed and used under `mutex`. Starts listening; throws std::system_error.
  ControlSocket(Control* control, std::mutex* mutex, std::string path);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  void Serve();
  // Answers the complete lines in `pending` and leaves the rest. False: the client is gone.
  bool AnswerLines(int fd, std::string* pending);

  Control* control_;
  std::mutex* mutex_;
  std::string path_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};  // written to at the end
  std::thread thread_;
};

}  // namespace ontapnvme::sim
