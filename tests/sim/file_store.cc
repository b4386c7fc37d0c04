// SPDX-License-Identifier: AGPL-3.0-or-later
#include "file_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

namespace ontapnvme::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCopyBytes = 1U << 20U;
constexpr std::uint64_t kStatBlockBytes = 512;  // st_blocks counts in these on every Linux

[[noreturn]] void Fail(const std::string& what, const fs::path& path) {
  throw std::system_error(errno, std::generic_category(), what + " " + path.string());
}

class File {
 public:
  File(fs::path path, int flags) : path_(std::move(path)) {
    fd_ = ::open(path_.c_str(), flags | O_CLOEXEC, 0600);
    if (fd_ < 0) Fail("open", path_);
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::uint64_t Size() const { return static_cast<std::uint64_t>(Stat().st_size); }
  std::uint64_t Allocated() const {
    return static_cast<std::uint64_t>(Stat().st_blocks) * kStatBlockBytes;
  }

  void Truncate(std::uint64_t size_bytes) const {
    if (::ftruncate(fd_, static_cast<off_t>(size_bytes)) != 0) Fail("truncate", path_);
  }

  std::string Read(std::uint64_t offset, std::size_t length) const {
    std::string bytes(length, '\0');
    std::size_t done = 0;
    while (done < length) {
      const ssize_t got =
          ::pread(fd_, bytes.data() + done, length - done, static_cast<off_t>(offset + done));
      if (got < 0) Fail("read", path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

  void Write(std::uint64_t offset, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0) Fail("write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
  }

  // Zeroes by giving the blocks back; file systems without holes get zeros written.
  void Clear(std::uint64_t offset, std::uint64_t length) const {
    if (length == 0) return;
    if (::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(length)) == 0) {
      return;
    }
    const std::string zeros(std::min<std::uint64_t>(length, kCopyBytes), '\0');
    for (std::uint64_t done = 0; done < length; done += zeros.size()) {
      Write(offset + done,
            std::string_view(zeros).substr(0, std::min(zeros.size(), length - done)));
    }
  }

  // The extents that hold data, as [begin, end).
  std::vector<std::pair<std::uint64_t, std::uint64_t>> Extents() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;
    const auto size = static_cast<off_t>(Size());
    off_t at = 0;
    while (at < size) {
      const off_t begin = ::lseek(fd_, at, SEEK_DATA);
      if (begin < 0) {
        if (errno == ENXIO) break;  // only a hole is left
        Fail("seek", path_);
      }
      const off_t end = ::lseek(fd_, begin, SEEK_HOLE);
      if (end < 0) Fail("seek", path_);
      extents.emplace_back(begin, end);
      at = end;
    }
    return extents;
  }

  void Sync() const {
    if (::fdatasync(fd_) != 0) Fail("sync", path_);
  }

 private:
  struct stat Stat() const {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) Fail("stat", path_);
    return info;
  }

  fs::path path_;
  int fd_;
};

// Writes over the target's inode: the kernel's target keeps the file open and must see the change.
void CopyInPlace(const File& from, const File& to) {
  const std::uint64_t size = from.Size();
  to.Truncate(size);
  std::uint64_t done = 0;
  for (const auto& [begin, end] : from.Extents()) {
    to.Clear(done, begin - done);
    for (std::uint64_t at = begin; at < end; at += kCopyBytes) {
      to.Write(at, from.Read(at, std::min<std::uint64_t>(kCopyBytes, end - at)));
    }
    done = end;
  }
  to.Clear(done, size - done);
  to.Sync();
}

}  // namespace

FileStore::FileStore(fs::path root) : root_(std::move(root)) {
  for (const char* folder : {"namespaces", "images"}) {
    fs::remove_all(root_ / folder);
    fs::create_directories(root_ / folder);
  }
}

fs::path FileStore::NamespacePath(const std::string& ns) const {
  return root_ / "namespaces" / ns;
}
fs::path FileStore::ImagePath(const std::string& image) const {
  return root_ / "images" / image;
}

void FileStore::Create(const std::string& ns, std::uint64_t size_bytes) {
  File(NamespacePath(ns), O_RDWR | O_CREAT | O_EXCL).Truncate(size_bytes);
}

void FileStore::Resize(const std::string& ns, std::uint64_t size_bytes) {
  File(NamespacePath(ns), O_RDWR).Truncate(size_bytes);
}

void FileStore::Remove(const std::string& ns) {
  fs::remove(NamespacePath(ns));
}

void FileStore::Save(const std::string& ns, const std::string& image) {
  CopyInPlace(File(NamespacePath(ns), O_RDONLY), File(ImagePath(image), O_RDWR | O_CREAT | O_EXCL));
}

void FileStore::DropImage(const std::string& image) {
  fs::remove(ImagePath(image));
}

void FileStore::Restore(const std::string& image, const std::string& ns) {
  CopyInPlace(File(ImagePath(image), O_RDONLY), File(NamespacePath(ns), O_RDWR | O_CREAT));
}

void FileStore::Clone(const std::string& image, const std::string& new_ns) {
  CopyInPlace(File(ImagePath(image), O_RDONLY),
              File(NamespacePath(new_ns), O_RDWR | O_CREAT | O_EXCL));
}

std::string FileStore::Read(const std::string& ns, std::uint64_t offset, std::size_t length) {
  return File(NamespacePath(ns), O_RDONLY).Read(offset, length);
}

void FileStore::Write(const std::string& ns, std::uint64_t offset, const std::string& bytes) {
  const File file(NamespacePath(ns), O_RDWR);
  if (offset + bytes.size() > file.Size()) throw std::runtime_error("write beyond the end");
  file.Write(offset, bytes);
  file.Sync();
}

std::uint64_t FileStore::AllocatedBytes(const std::string& ns) {
  return File(NamespacePath(ns), O_RDONLY).Allocated();
}

std::string FileStore::DevicePath(const std::string& ns) {
  return NamespacePath(ns).string();
}

}  // namespace ontapnvme::sim
