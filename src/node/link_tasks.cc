// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/link_tasks.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <sstream>

#include "base/files.h"

namespace ontapnvme::node {
namespace {

constexpr std::size_t kNoteMax = 64 * 1024;
constexpr std::size_t kStatMax = 4096;
// From asking for a device to opening it takes no longer; one that is open is not removed.
constexpr std::chrono::minutes kDaemonWaits{5};

// A process number is given anew; with the time of its start it names one process (proc(5), stat: field
// 22, counted behind the name, which may hold anything).
std::optional<std::string> StartOf(pid_t pid) {
  const auto stat = ReadSmallFile("/proc/" + std::to_string(pid) + "/stat", kStatMax);
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return std::nullopt;
  constexpr int kStartTime = 20;
  std::istringstream fields(stat->substr(name_end + 1));
  std::string field;
  for (int i = 0; i < kStartTime; ++i) fields >> field;
  return fields ? std::optional(field) : std::nullopt;
}

// Proxmox's daemons call themselves by their names, their tasks "task UPID:…" (PVE::Daemon,
// PVE::RESTEnvironment): a daemon works on some calls itself, and does not end with them.
bool IsDaemon(pid_t pid) {
  const auto line = ReadSmallFile("/proc/" + std::to_string(pid) + "/cmdline", kStatMax);
  return line && (line->starts_with("pvedaemon") || line->starts_with("pveproxy") ||
                  line->starts_with("pvestatd") || line->starts_with("pvescheduler"));
}

// What the file says of how long ago somebody asked; a moment where it cannot be told.
std::chrono::seconds AgeOf(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::chrono::seconds(0);
  return std::chrono::seconds(::time(nullptr) - found.st_mtime);
}

// "PID START". What is no such line may be of somebody.
bool HasEnded(const std::string& line, std::chrono::seconds age) {
  pid_t pid = 0;
  const char* const end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data(), end, pid);
  if (error != std::errc() || pid <= 0 || rest == end || *rest != ' ') return false;
  if (::kill(pid, 0) != 0 && errno == ESRCH) return true;
  const auto start = StartOf(pid);
  if (start && *start != std::string(rest + 1, end)) return true;
  return age > kDaemonWaits && IsDaemon(pid);
}

std::vector<std::string> RunningOf(const std::string& note, std::chrono::seconds age) {
  std::vector<std::string> running;
  std::istringstream lines(note);
  for (std::string line; std::getline(lines, line);) {
    if (!HasEnded(line, age)) running.push_back(line);
  }
  return running;
}

std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(directory.c_str()), ::closedir);
  if (!folder) return names;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    // Not what another process is just writing.
    if (name[0] != '.' && name.find(".tmp.") == std::string::npos) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void LinkTasks::Note(const std::string& link_name) const {
  const auto start = StartOf(::getpid());
  if (!start) return;
  const std::string path = directory_ + "/" + link_name;
  const std::string own = std::to_string(::getpid()) + " " + *start;
  std::string text;
  for (const auto& line : Running(link_name)) {
    if (line != own) text += line + "\n";
  }
  ::mkdir(parent_.c_str(), 0700);
  ::mkdir(directory_.c_str(), 0700);
  (void)ReplaceSmallFile(path, text + own + "\n");
}

std::vector<std::string> LinkTasks::Ended() const {
  std::vector<std::string> ended;
  for (const auto& name : NamesIn(directory_)) {
    const std::string path = directory_ + "/" + name;
    const auto note = ReadSmallFile(path, kNoteMax);
    if (note && RunningOf(*note, AgeOf(path)).empty()) ended.push_back(name);
  }
  return ended;
}

std::vector<std::string> LinkTasks::Running(const std::string& link_name) const {
  const std::string path = directory_ + "/" + link_name;
  return RunningOf(ReadSmallFile(path, kNoteMax).value_or(""), AgeOf(path));
}

bool LinkTasks::IsAwaited(const std::string& link_name) const {
  return !Running(link_name).empty();
}

std::optional<std::string> LinkTasks::OtherTask(const std::string& link_name) const {
  const std::string own = std::to_string(::getpid()) + " ";
  for (const auto& line : Running(link_name)) {
    if (!line.starts_with(own)) return "process " + line.substr(0, line.find(' '));
  }
  return std::nullopt;
}

void LinkTasks::Forget(const std::string& link_name) const {
  ::unlink((directory_ + "/" + link_name).c_str());
}

void LinkTasks::ForgetAll() const {
  for (const auto& name : NamesIn(directory_)) Forget(name);
  ::rmdir(directory_.c_str());
}

}  // namespace ontapnvme::node
