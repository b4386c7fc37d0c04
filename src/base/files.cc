// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "base/unique_fd.h"

namespace ontapnvme {

std::optional<std::string> ReadSmallFile(const std::string& path, std::size_t bytes_max) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return std::nullopt;
  std::string text(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t now = ::read(file.get(), text.data() + size, text.size() - size);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return std::nullopt;
    if (now == 0) break;
    size += static_cast<std::size_t>(now);
  }
  if (size > bytes_max) return std::nullopt;
  text.resize(size);
  return text;
}

Status ReplaceSmallFile(const std::string& path, const std::string& text) {
  // Another process may write at the same time: each writes its own file, and the rename is atomic.
  const std::string draft = path + ".tmp." + std::to_string(::getpid());
  const auto failed = [&] {
    Error error =
        Error(ErrorCode::kUnavailable, "cannot write '" + path + "'").Because(std::strerror(errno));
    ::unlink(draft.c_str());
    return error;
  };
  const UniqueFd file(
      ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failed();
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t now = ::write(file.get(), text.data() + done, text.size() - done);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) return failed();
    done += static_cast<std::size_t>(now);
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return failed();
  return {};
}

std::map<std::string, std::string> ParseLines(const std::string& text) {
  std::map<std::string, std::string> fields;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    const std::size_t equals = line.find('=');
    if (equals != line.npos) {
      fields[std::string(line.substr(0, equals))] = std::string(line.substr(equals + 1));
    }
    at = end + 1;
  }
  return fields;
}

}  // namespace ontapnvme
