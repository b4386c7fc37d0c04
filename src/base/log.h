// SPDX-License-Identifier: AGPL-3.0-or-later
// What the library wants an administrator to know besides the result: collected during a call and
// handed to the caller afterwards. Native code never calls into Perl and never prints.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ontapnvme {

enum class LogLevel {
  kDebug,    // shown with `debug 1`
  kInfo,     // a line of the task log
  kWarning,  // a task warning
};

struct LogRecord {
  LogLevel level;
  std::string text;  // one line, never a secret
};

class Log {
 public:
  void Debug(std::string text) { Add(LogLevel::kDebug, std::move(text)); }
  void Info(std::string text) { Add(LogLevel::kInfo, std::move(text)); }
  void Warning(std::string text) { Add(LogLevel::kWarning, std::move(text)); }

  // What was collected so far; empties the log.
  std::vector<LogRecord> Take() { return std::exchange(records_, {}); }

 private:
  void Add(LogLevel level, std::string text);
  std::vector<LogRecord> records_;
};

}  // namespace ontapnvme
