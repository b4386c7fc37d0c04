// SPDX-License-Identifier: AGPL-3.0-or-later
// What the library wants an administrator to know besides the result: collected during a call and
// handed to the caller afterwards. Native code never calls into Perl and never prints.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ontapnvme {

enum class LogLevel {
  kTrace,    // every request to the array; shown with `debug 2`
  kDebug,    // what was decided, and why; shown with `debug 1`
  kInfo,     // a line of the task log
  kWarning,  // a task warning
};

struct LogRecord {
  LogLevel level;
  std::string text;  // one line, never a secret
};

class Log {
 public:
  void Trace(const std::string& text) { Add(LogLevel::kTrace, text); }
  void Debug(const std::string& text) { Add(LogLevel::kDebug, text); }
  void Info(const std::string& text) { Add(LogLevel::kInfo, text); }
  void Warning(const std::string& text) { Add(LogLevel::kWarning, text); }

  // What was collected so far; empties the log.
  std::vector<LogRecord> Take() { return std::exchange(records_, {}); }

 private:
  void Add(LogLevel level, const std::string& text);
  std::vector<LogRecord> records_;
};

}  // namespace ontapnvme
